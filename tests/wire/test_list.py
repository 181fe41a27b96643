"""``GET /v2/tasks``: its shape, its first page, its cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.wire.answers import error, ids

CREATED = datetime(2026, 3, 1, 12, 30, 59, 999_999, tzinfo=UTC)
UPDATED = datetime(2026, 3, 1, 12, 31, 0, 1, tzinfo=UTC)
EXPIRES = datetime(2126, 3, 3, 12, 31, tzinfo=UTC)


def test_an_empty_list_has_no_next(api: APIClient) -> None:
    response = api.get("/v2/tasks")

    assert list(response.json().items()) == [
        ("tasks", []),
        ("first", "/v2/tasks"),
        ("schema", "/v2/schemas/tasks"),
    ]


def test_next_comes_last(api: APIClient, make_task: Callable[..., Task]) -> None:
    make_task()
    make_task()

    response = api.get("/v2/tasks?limit=1")

    assert list(response.json()) == ["tasks", "first", "schema", "next"]


def test_an_unfinished_task_in_a_list(
    api: APIClient, user: User, make_task: Callable[..., Task]
) -> None:
    task = make_task(name="label", progress=7, created_at=CREATED, updated_at=UPDATED)

    response = api.get("/v2/tasks")

    assert [list(item.items()) for item in response.json()["tasks"]] == [
        [
            ("id", str(task.pk)),
            ("type", "import"),
            ("status", "pending"),
            ("owner", str(user.pk)),
            ("created_at", "2026-03-01T12:30:59Z"),
            ("updated_at", "2026-03-01T12:31:00Z"),
            ("self", f"/v2/tasks/{task.pk}"),
            ("schema", "/v2/schemas/task"),
            ("name", "label"),
            ("progress", 7),
        ]
    ]


def test_a_finished_task_in_a_list_has_expires_at_before_name(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    make_task(status="success", expires_at=EXPIRES)

    [task] = api.get("/v2/tasks").json()["tasks"]

    assert list(task)[7:] == ["schema", "expires_at", "name", "progress"]
    assert task["expires_at"] == "2126-03-03T12:31:00Z"


def test_a_page_is_json(api: APIClient) -> None:
    assert api.get("/v2/tasks")["Content-Type"] == "application/json"


def test_the_newest_task_is_first(api: APIClient, make_task: Callable[..., Task]) -> None:
    tasks = [make_task(created_at=CREATED + timedelta(microseconds=n)) for n in (1, 3, 2)]

    assert ids(api.get("/v2/tasks")) == [str(tasks[n].pk) for n in (1, 2, 0)]


def test_a_page_has_25_tasks(api: APIClient, make_task: Callable[..., Task]) -> None:
    for _ in range(26):
        make_task()

    assert len(ids(api.get("/v2/tasks"))) == 25


@pytest.mark.parametrize(
    ("limit", "count"),
    [("", 4), ("1", 1), ("+2", 2), ("003", 3), ("0", 0), ("-0", 0), ("5", 4), ("9" * 10_000, 4)],
)
def test_limit(api: APIClient, make_task: Callable[..., Task], limit: Any, count: Any) -> None:
    for _ in range(4):
        make_task()

    response = api.get("/v2/tasks", {"limit": limit})

    assert len(ids(response)) == count
    assert ("next" in response.json()) == (0 < count < 4)


@pytest.mark.parametrize(
    "limit", ["abc", "1.5", " 3", "3 ", "1_0", "３", "0x1", "+", "-", "--1", "1e1", "3\n", "\0"]
)
def test_a_limit_that_is_no_integer_is_refused(api: APIClient, limit: Any) -> None:
    response = api.get("/v2/tasks", {"limit": limit})

    assert error(response) == (400, "limit param must be an integer")


@pytest.mark.parametrize("limit", ["-1", "-" + "9" * 10_000])
def test_a_negative_limit_is_refused(api: APIClient, limit: Any) -> None:
    response = api.get("/v2/tasks", {"limit": limit})

    assert error(response) == (400, "limit param must be positive")


def test_limit_is_silently_capped(
    api: APIClient, make_task: Callable[..., Task], settings: Any
) -> None:
    settings.IMAGE_TASKS = {"API_LIMIT_MAX": 2}
    for _ in range(3):
        make_task()

    response = api.get("/v2/tasks?limit=5000")

    assert len(ids(response)) == 2
    assert response.json()["first"] == "/v2/tasks?limit=5000"
    assert response.json()["next"].startswith("/v2/tasks?limit=5000&marker=")


def test_the_cap_holds_without_a_limit_too(
    api: APIClient, make_task: Callable[..., Task], settings: Any
) -> None:
    settings.IMAGE_TASKS = {"API_LIMIT_MAX": 2}
    for _ in range(3):
        make_task()

    assert len(ids(api.get("/v2/tasks"))) == 2


def test_a_setting_says_how_many_tasks_a_page_has(
    api: APIClient, make_task: Callable[..., Task], settings: Any
) -> None:
    settings.IMAGE_TASKS = {"LIMIT_PARAM_DEFAULT": 2}
    for _ in range(3):
        make_task()

    assert len(ids(api.get("/v2/tasks"))) == 2


def test_an_expired_task_is_gone_at_once(api: APIClient, make_task: Callable[..., Task]) -> None:
    make_task(status="success", expires_at=timezone.now())

    assert ids(api.get("/v2/tasks")) == []


def test_the_moment_of_expiry_is_too_late(make_task: Callable[..., Task]) -> None:
    now = timezone.now()
    make_task(status="success", expires_at=now)
    task = make_task(status="success", expires_at=now + timedelta(microseconds=1))

    assert list(Task.objects.unexpired(now)) == [task]


# Whether the user may see every owner's tasks takes Django two queries, which belong to
# authentication: the user's own permissions, and those of the user's groups.
PERMISSIONS = 1


@pytest.mark.parametrize("limit", [1, 5, 50])
def test_a_page_is_one_query_whatever_its_size(
    api: APIClient, make_task: Callable[..., Task], limit: Any, django_assert_num_queries: Any
) -> None:
    for _ in range(60):
        make_task()

    with django_assert_num_queries(PERMISSIONS + 1):
        response = api.get(f"/v2/tasks?limit={limit}&status=pending&sort_key=name")

    assert len(ids(response)) == limit


def test_a_marker_is_one_query_more(
    api: APIClient, make_task: Callable[..., Task], django_assert_num_queries: Any
) -> None:
    marker, *_ = [make_task() for _ in range(9)]

    with django_assert_num_queries(PERMISSIONS + 2):
        api.get(f"/v2/tasks?sort_dir=asc&limit=3&marker={marker.pk}")


def test_an_empty_page_asks_for_no_rows(
    api: APIClient, make_task: Callable[..., Task], django_assert_num_queries: Any
) -> None:
    make_task()

    with django_assert_num_queries(PERMISSIONS):
        api.get("/v2/tasks?limit=0")
