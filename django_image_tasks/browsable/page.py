"""What a page is about, told from the answer that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest

from django_image_tasks import tenancy
from django_image_tasks.handlers import registry
from django_image_tasks.schema_forms import InputForm, input_form
from django_image_tasks.services import can_retry
from django_image_tasks.states import UNFINISHED

MOST_CHARACTERS = 100_000
"""So much of the JSON is shown: each of its words becomes an element of the page."""


class CreateForm(NamedTuple):
    type: str
    title: str
    form: InputForm


def api_root(path: str) -> str:
    """The path that the API is mounted at, without a slash at its end."""
    if "/v2/" in path:
        return path.rpartition("/v2/")[0]
    return path.removesuffix("versions").rstrip("/")


def kind_of(data: Any, status_code: int) -> str:
    """``list``, ``task``, ``error``, or ``document`` for whatever else."""
    match data:
        case _ if status_code >= 400:
            return "error"
        case {"tasks": list()}:
            return "list"
        case {"id": _, "status": _}:
            return "task"
        case _:
            return "document"


def message_of(data: Any) -> str:
    """An error's message, in OpenStack's form or in DRF's."""
    match data:
        case {"detail": detail}:
            return str(detail)
        case {**errors} if errors:
            [error, *_] = errors.values()
            return str(error.get("message", "")) if isinstance(error, Mapping) else ""
    return ""


def actions_on(task: Mapping[str, Any], request: HttpRequest) -> list[str]:
    """What the API lets the request do with a task: ``cancel``, ``retry``."""
    status, may_touch = task["status"], tenancy.may_touch(request, task.get("owner", ""))
    if status in UNFINISHED and may_touch:
        return ["cancel"]
    return ["retry"] if may_touch and can_retry(status, task.get("type", "")) else []


def create_forms() -> list[CreateForm]:
    return [
        CreateForm(
            type_,
            registry.get_handler(type_).title,
            input_form(type_)(auto_id=f"create-{number}-%s"),
        )
        for number, type_ in enumerate(registry.runnable_types())
    ]
