"""``GET /v2/tasks/{id}``."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.wire.answers import error

TIME = datetime(2026, 3, 1, 12, 30, 59, 999_999, tzinfo=UTC)
EXPIRES = datetime(2126, 3, 3, tzinfo=UTC)


def test_a_task_with_nothing_optional(
    api: APIClient, user: User, make_task: Callable[..., Task]
) -> None:
    task = make_task(created_at=TIME, updated_at=TIME)

    response = api.get(f"/v2/tasks/{task.pk}")

    assert response.status_code == 200
    assert list(response.json().items()) == [
        ("id", str(task.pk)),
        ("input", {"import_from": "https://example.com/a.qcow2"}),
        ("type", "import"),
        ("status", "pending"),
        ("owner", str(user.pk)),
        ("message", ""),
        ("result", None),
        ("created_at", "2026-03-01T12:30:59Z"),
        ("updated_at", "2026-03-01T12:30:59Z"),
        ("self", f"/v2/tasks/{task.pk}"),
        ("schema", "/v2/schemas/task"),
        ("name", ""),
        ("progress", 0),
        ("attempts", 0),
    ]


def test_a_task_with_everything(api: APIClient, make_task: Callable[..., Task]) -> None:
    image_id = str(uuid.uuid4())
    task = make_task(
        status="success",
        message="text",
        result={"image_id": image_id},
        image_id=image_id,
        request_id="req-1",
        user_id="7",
        expires_at=EXPIRES,
        name="label",
        progress=100,
        attempts=2,
    )

    body = api.get(f"/v2/tasks/{task.pk}").json()

    assert list(body.items())[5:7] == [("message", "text"), ("result", {"image_id": image_id})]
    assert list(body.items())[10:] == [
        ("schema", "/v2/schemas/task"),
        ("image_id", image_id),
        ("request_id", "req-1"),
        ("user_id", "7"),
        ("expires_at", "2126-03-03T00:00:00Z"),
        ("name", "label"),
        ("progress", 100),
        ("attempts", 2),
    ]


@pytest.mark.parametrize(
    "spell", [str, lambda pk: pk.hex, lambda pk: str(pk).upper(), lambda pk: pk.hex.upper()]
)
def test_an_id_in_any_spelling(api: APIClient, make_task: Callable[..., Task], spell: Any) -> None:
    task = make_task()

    assert api.get(f"/v2/tasks/{spell(task.pk)}").json()["id"] == str(task.pk)


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("7", "7"),
        ("ABCDEFAB-cdef-4abc-8def-abcdefabcdef", "ABCDEFAB-cdef-4abc-8def-abcdefabcdef"),
        ("abcdefabcdef4abc8defabcdefabcdef", "abcdefabcdef4abc8defabcdefabcdef"),
        ("{abcdefab-cdef-4abc-8def-abcdefabcdef}", "{abcdefab-cdef-4abc-8def-abcdefabcdef}"),
        ("%D9%A1" * 32, "\u0661" * 32),
        ("%00", "\0"),
        ("%FF", "%FF"),
        ("%ED%A0%80", "%ED%A0%80"),
        ("a%0Ab", "a\nb"),
        ("%3Cb%3E", "<b>"),
        ("a.json", "a.json"),
        ("x" * 10_000, "x" * 10_000),
        ("%F0%9F%92%BE", "\U0001f4be"),
    ],
)
def test_an_unknown_or_malformed_id_is_not_found(api: APIClient, path: Any, id: Any) -> None:
    assert error(api.get(f"/v2/tasks/{path}")) == (404, f"Could not find task {id}")


def test_somebody_elses_task_is_not_found(api: APIClient, make_task: Callable[..., Task]) -> None:
    task = make_task(owner="somebody else")

    assert error(api.get(f"/v2/tasks/{task.pk}")) == (404, f"Could not find task {task.pk}")


def test_an_expired_task_is_not_found(api: APIClient, make_task: Callable[..., Task]) -> None:
    task = make_task(status="failure", expires_at=timezone.now() - timedelta(microseconds=1))

    assert error(api.get(f"/v2/tasks/{task.pk}")) == (404, f"Could not find task {task.pk}")


def test_a_task_is_one_query(
    api: APIClient, make_task: Callable[..., Task], django_assert_num_queries: Any
) -> None:
    task = make_task()

    with django_assert_num_queries(1 + 1):  # the user's permission, and the task
        api.get(f"/v2/tasks/{task.pk}")


def test_an_id_with_something_behind_it_is_not_found(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    assert error(api.get(f"/v2/tasks/{make_task().pk}0"))[0] == 404
