"""``first`` and ``next``: relative to the API's root, and what the client sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_image_tasks.models import Task


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&foo=bar",
        "limit=1&name=&sort_dir=",
        "limit=2&sort_key=name&sort_dir=asc&limit=1",
        "limit=1&type=import&type=import",
        "limit=1&page=3&format=json&fields=id&search=x&offset=1",
        "limit=1&created_at=gt:2001-01-01T00:00:00%2B01:00",
        "limit=1&x=a+b%20c&y=%C3%A4%F0%9F%92%BE&z=%FF%00",
        "%6Cimit=1&a&b=&=c",
    ],
)
def test_links_keep_what_was_sent(
    api: APIClient, make_task: Callable[..., Task], query: Any
) -> None:
    make_task()
    make_task()

    body = api.get(f"/v2/tasks?{query}").json()

    assert body["first"] == f"/v2/tasks?{query}"
    assert body["next"] == f"/v2/tasks?{query}&marker={body['tasks'][-1]['id']}"


def test_links_are_without_the_marker_that_was_sent(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    first, second, _, _ = [make_task() for _ in range(4)]
    query = f"marker={first.pk}&limit=1&marker={second.pk}&%6Darker={first.pk}&sort_dir=asc"

    body = api.get(f"/v2/tasks?{query}").json()

    assert body["first"] == "/v2/tasks?limit=1&sort_dir=asc"
    assert body["next"] == f"/v2/tasks?limit=1&sort_dir=asc&marker={body['tasks'][0]['id']}"


def test_first_has_no_question_mark_without_parameters(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    task = make_task()

    assert api.get(f"/v2/tasks?marker={task.pk}").json()["first"] == "/v2/tasks"


def test_raw_bytes_of_the_query_come_back_percent_encoded(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    make_task()

    response = api.get("/v2/tasks", QUERY_STRING='x="ä"<>'.encode().decode("latin-1"))

    assert response.json()["first"] == '/v2/tasks?x="%C3%A4"<>'


@pytest.mark.parametrize("path", ["/v2/tasks", "/image/v2/tasks"])
def test_links_carry_no_prefix(api: APIClient, make_task: Callable[..., Task], path: Any) -> None:
    make_task()
    make_task()

    body = api.get(f"{path}?limit=1").json()

    [task] = body["tasks"]
    assert body["first"] == "/v2/tasks?limit=1"
    assert body["next"] == f"/v2/tasks?limit=1&marker={task['id']}"
    assert body["schema"] == "/v2/schemas/tasks"
    assert (task["self"], task["schema"]) == (f"/v2/tasks/{task['id']}", "/v2/schemas/task")


def test_links_carry_no_script_name(api: APIClient, db: None) -> None:
    response = api.get("/image/v2/tasks", SCRIPT_NAME="/script")

    assert response.json()["first"] == "/v2/tasks"


def test_no_next_after_the_last_full_page(api: APIClient, make_task: Callable[..., Task]) -> None:
    make_task()
    make_task()

    assert "next" not in api.get("/v2/tasks?limit=2").json()
