"""schemathesis asks for what the description allows, and for what it does not."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from rest_framework.authtoken.models import Token

from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED, Status
from tests.requirements import needs

schemathesis = needs("schemathesis")

CONFIG = schemathesis.Config.from_dict(
    {
        "seed": 6,
        "generation": {"deterministic": True, "max-examples": 25, "allow-x00": False},
    }
)
SOURCE = "https://example.com/a.qcow2"
TIMES = ("created_at", "updated_at", "expires_at")
FULL = {
    **dict.fromkeys(TIMES, "2026-03-01"),
    **dict.fromkeys(("name", "owner", "image_id", "user_id", "request_id"), "a"),
    **{"id": "0" * 32, "status": "pending", "type": "import"},
}
schema = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application(), config=CONFIG)


@pytest.fixture
def token(db: None) -> Iterator[str]:
    # As Django's own test client: the connection is the test's, which no request may close.
    signals = [request_started, request_finished]
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield str(Token.objects.create(user=User.objects.create_user("ada")).key)
    for signal in signals:
        signal.connect(close_old_connections)


@schema.parametrize()
def test_every_answer_is_as_described(case: Any, token: str) -> None:
    if case.meta.generation.mode.is_positive:
        keep_what_openapi_cannot_say(case)
    elif case.query:
        case.query = {**case.query, **values_that_count(case.query)}
    case.call_and_validate(headers={"X-Auth-Token": token})


def keep_what_openapi_cannot_say(case: Any) -> None:
    Task.objects.update(idempotency_key=None)  # a key that another case has used
    if case.path_parameters:
        number = int(str(case.path_parameters["id"])[:2], 16)
        case.path_parameters["id"] = make_task(number) or case.path_parameters["id"]
    if case.query:
        case.query = {**case.query, **rules_of_the_list(case.query)}
    if "/tasks/actions/" in case.path:
        case.query = {**(case.query or {}), "name": ["a"]}  # at least one filter
    if isinstance(case.body, dict):
        case.body["input"].pop("checksum", None)  # as many digits as the algorithm gives
        case.body["input"]["import_from"] = SOURCE  # a public host


def rules_of_the_list(query: dict[str, Any]) -> dict[str, Any]:
    """The rules between parameters, between values, and with what is stored."""
    keys = list(dict.fromkeys(filter(None, query.get("sort_key", ()))))
    rules = {
        name: [value for value in query[name] if in_the_calendar(value)]
        for name in TIMES
        if name in query
    }
    if query.get("marker"):
        rules["marker"] = make_task(0)
    if any(query.get("sort", ())):
        terms = {
            term.partition(":")[0]: term for value in query["sort"] for term in value.split(",")
        }
        return {
            **rules,
            "sort": [",".join(filter(None, terms.values()))],
            "sort_key": [],
            "sort_dir": [],
        }
    return {**rules, "sort_key": keys, "sort_dir": query.get("sort_dir", [])[: len(keys)]}


def values_that_count(query: dict[str, Any]) -> dict[str, Any]:
    """The filters without an empty value: it counts as left out, but not for OpenAPI."""
    return {
        name: [value or full for value in query[name]]
        for name, full in FULL.items()
        if isinstance(query.get(name), list)
    }


def in_the_calendar(value: str) -> bool:
    with suppress(ValueError):
        return not value or bool(datetime.datetime.fromisoformat(value.partition(":")[2]))
    with suppress(ValueError):
        return bool(datetime.datetime.fromisoformat(value))
    return False


def make_task(number: int) -> str | None:
    """The id of a task of ada's in one of its states; each fifth time there is none."""
    status = [*Status, None][number % 5]
    if status is None:
        return None
    ended = datetime.datetime.now(datetime.UTC) if status in FINISHED else None
    task = Task.objects.create(
        type="import",
        status=status,
        owner=str(User.objects.get().pk),
        input={"import_from": SOURCE},
        finished_at=ended,
        expires_at=ended and ended + datetime.timedelta(hours=48),
    )
    return str(task.pk)
