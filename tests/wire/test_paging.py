"""Markers: where a page begins."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from django_image_tasks.keyset import parse_order
from django_image_tasks.models import Task
from tests.wire.answers import allow, error, ids

SPELLINGS = [str, lambda pk: pk.hex, lambda pk: str(pk).upper(), lambda pk: pk.hex.upper()]


@pytest.fixture
def tasks(make_task: Callable[..., Task]) -> Any:
    """The oldest first."""
    start = timezone.now()
    return [make_task(created_at=start + timedelta(seconds=n)) for n in range(4)]


@pytest.mark.parametrize("spell", SPELLINGS)
def test_a_page_begins_after_the_marker(api: APIClient, tasks: Any, spell: Any) -> None:
    response = api.get("/v2/tasks", {"marker": spell(tasks[2].pk)})

    assert ids(response) == [str(tasks[1].pk), str(tasks[0].pk)]


def test_a_page_begins_after_the_marker_where_ascending(api: APIClient, tasks: Any) -> None:
    response = api.get(f"/v2/tasks?sort_dir=asc&marker={tasks[2].pk}")

    assert ids(response) == [str(tasks[3].pk)]


def test_nothing_follows_the_last_task(api: APIClient, tasks: Any) -> None:
    response = api.get(f"/v2/tasks?limit=2&marker={tasks[0].pk}")

    assert ids(response) == []
    assert "next" not in response.json()


def test_an_empty_marker_is_none(api: APIClient, tasks: Any) -> None:
    assert len(ids(api.get("/v2/tasks?marker="))) == 4


def test_the_last_of_repeated_markers_acts(api: APIClient, tasks: Any) -> None:
    response = api.get(f"/v2/tasks?marker={tasks[3].pk}&marker={tasks[1].pk}&marker=")

    assert ids(response) == [str(tasks[0].pk)]


@pytest.mark.parametrize(
    "marker",
    ["7", "x" * 32, "\0", "{12345678-1234-1234-1234-123456789012}", "é" * 10_000]
    + [f"{uuid.UUID(int=1)} ", f"{uuid.UUID(int=1)}\n", f"urn:uuid:{uuid.UUID(int=1)}"]
    + ["123456781234-1234-1234-123456789012", "１" * 32, "-".join("1" * 32)],
)
def test_a_marker_that_is_no_uuid_is_refused(api: APIClient, marker: Any) -> None:
    response = api.get("/v2/tasks", {"marker": marker})

    assert error(response) == (400, "Invalid marker format")


@pytest.mark.parametrize("spell", SPELLINGS)
def test_an_unknown_marker_is_refused_as_it_was_sent(api: APIClient, spell: Any) -> None:
    marker = spell(uuid.UUID("abcdefab-cdef-4abc-8def-abcdefabcdef"))

    response = api.get("/v2/tasks", {"marker": marker})

    assert error(response) == (400, f"Task with the given id {marker} was not found")


def test_a_deleted_marker_is_refused(api: APIClient, tasks: Any) -> None:
    marker = tasks[1].pk
    tasks[1].delete()

    response = api.get(f"/v2/tasks?marker={marker}")

    assert error(response) == (400, f"Task with the given id {marker} was not found")


def test_somebody_elses_marker_is_refused_like_an_unknown_one(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    marker = make_task(owner="somebody else").pk

    response = api.get(f"/v2/tasks?marker={marker}")

    assert error(response) == (400, f"Task with the given id {marker} was not found")


def test_somebody_elses_marker_serves_who_sees_every_task(
    api: APIClient, user: User, make_task: Callable[..., Task]
) -> None:
    allow(user, "view_all_tasks")
    api.force_authenticate(User.objects.get())
    mine = make_task()
    marker = make_task(owner="somebody else")

    assert ids(api.get(f"/v2/tasks?marker={marker.pk}")) == [str(mine.pk)]


def test_a_marker_need_not_match_the_filters(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    older = make_task(name="a")
    marker = make_task(name="b")

    assert ids(api.get(f"/v2/tasks?name=a&marker={marker.pk}")) == [str(older.pk)]


def test_a_marker_may_have_expired(api: APIClient, make_task: Callable[..., Task]) -> None:
    older = make_task()
    marker = make_task(status="success", expires_at=timezone.now() - timedelta(days=1))

    assert ids(api.get(f"/v2/tasks?marker={marker.pk}")) == [str(older.pk)]


@pytest.mark.parametrize(
    ("marker", "direction", "expected"),
    [
        ("failure", "asc", ["pending"]),
        ("success", "asc", []),
        ("failure", "desc", []),
        ("success", "desc", ["pending"]),
        ("pending", "desc", []),
    ],
)
def test_a_marker_that_does_not_match_keeps_its_place_in_the_order(
    api: APIClient, make_task: Callable[..., Task], marker: Any, direction: Any, expected: Any
) -> None:
    tasks = {status: make_task(status=status) for status in ("pending", "failure", "success")}
    query = f"status=pending&sort_key=status&sort_dir={direction}&marker={tasks[marker].pk}"

    assert ids(api.get(f"/v2/tasks?{query}")) == [str(tasks[status].pk) for status in expected]


def test_a_task_behind_itself_is_no_task(api: APIClient, tasks: Any) -> None:
    pk = tasks[0].pk

    assert ids(api.get(f"/v2/tasks?id={pk}&sort_key=id&marker={pk}")) == []


def test_the_order_outlives_a_clone(api: APIClient, tasks: Any) -> None:
    rows = Task.objects.in_order(parse_order([], ["asc"], []))
    marker = {"created_at": tasks[1].created_at, "id": tasks[1].pk}

    assert list(rows.all().after(marker)) == tasks[2:]
