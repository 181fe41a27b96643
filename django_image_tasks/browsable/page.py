"""What the page around an answer shows beside it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from django.utils.translation import gettext as _

from django_image_tasks.handlers import registry
from django_image_tasks.schema_forms import InputForm, example_input, input_form
from django_image_tasks.services import can_retry
from django_image_tasks.states import UNFINISHED

MOST_CHARACTERS = 100_000
"""So much of the JSON is shown: each of its words becomes an element of the page."""


class CreateForm(NamedTuple):
    """The form for a new task of one type."""

    type: str
    title: str
    form: InputForm
    example: str
    """A body that the API takes, as JSON."""


def api_root(path: str) -> str:
    """The path that the API is mounted at, without a slash at its end."""
    if "/v2/" in path:
        return path.rpartition("/v2/")[0]
    return path.removesuffix("versions").rstrip("/")


def links(user: Any, task_id: str) -> list[tuple[str, str]]:
    """Where else there is something to see: the admin, for whom it is open, and Swagger UI."""
    page, args = ("change", [task_id]) if task_id else ("changelist", [])
    found: list[tuple[str, str, list[str]]] = [(_("Documentation"), "swagger-ui", [])]
    if user.is_staff and user.has_perm("django_image_tasks.view_task"):
        found.append((_("Admin"), f"admin:django_image_tasks_task_{page}", args))
    urls = []
    for label, name, args in found:
        with suppress(NoReverseMatch):
            urls.append((label, reverse(name, args=args)))
    return urls


def curl(request: Any) -> str:
    """The request as a line for a shell. The token is named, and not told."""
    url = shlex.quote(request.build_absolute_uri())
    return f'curl -H "X-Auth-Token: $TOKEN" {url}'


def login_url() -> str:
    """Where a browser logs in: REST framework's page, the project's own, or the admin's."""
    for name in ("rest_framework:login", settings.LOGIN_URL, "admin:login"):
        with suppress(NoReverseMatch, Resolver404):
            url = resolve_url(name)
            resolve(urlsplit(url).path.removeprefix(get_script_prefix().rstrip("/")))
            return url
    return ""


def message_of(data: Any) -> str:
    """An error's message, in OpenStack's form or in DRF's."""
    match data:
        case {"detail": detail}:
            return str(detail)
        case {**errors} if errors:
            [error, *_] = errors.values()
            return str(error.get("message", "")) if isinstance(error, Mapping) else ""
    return ""


def actions_on(task: Mapping[str, Any], view: Any) -> list[str]:
    """What the view would let its caller do with the task that it shows: ``cancel``, ``retry``."""
    if not view.may_touch(task["owner"]):
        return []
    if task["status"] in UNFINISHED:
        return ["cancel"]
    return ["retry"] if can_retry(task["status"], task["type"]) else []


def create_forms() -> list[CreateForm]:
    return [
        CreateForm(
            type_,
            handler.title,
            input_form(type_)(auto_id=f"create-{number}-%s"),
            _example(type_, handler.input_schema),
        )
        for number, type_ in enumerate(registry.runnable_types())
        for handler in [registry.get_handler(type_)]
    ]


def _example(type_: str, schema: Mapping[str, Any]) -> str:
    """A body that asks for a task."""
    body = {"type": type_, "input": example_input(schema)}
    return json.dumps(body, indent=2, ensure_ascii=False)
