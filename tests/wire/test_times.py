"""``created_at``, ``updated_at`` and ``expires_at`` as parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from django_image_tasks.statements import kept_statement
from tests.wire.answers import error, names

SECOND = datetime(2126, 3, 1, 12, 30, 59, tzinfo=UTC)
ROWS = {
    "before": SECOND - timedelta(microseconds=1),
    "first": SECOND,
    "middle": SECOND + timedelta(microseconds=500_000),
    "last": SECOND + timedelta(microseconds=999_999),
    "after": SECOND + timedelta(seconds=1),
}
TIMES = ["created_at", "updated_at", "expires_at"]


@pytest.fixture
def rows(make_task: Callable[..., Task]) -> None:
    """A task for each of ROWS in all three of its times, and one that never expires."""
    for name, time in ROWS.items():
        make_task(name=name, created_at=time, updated_at=time, expires_at=time)


@pytest.mark.parametrize("param", TIMES)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{}", "first middle last"),
        ("eq:{}", "first middle last"),
        ("neq:{}", "before after"),
        ("gt:{}", "after"),
        ("gte:{}", "first middle last after"),
        ("lt:{}", "before"),
        ("lte:{}", "before first middle last"),
        ("{}.5", "middle"),
        ("eq:{},500000", "middle"),
        ("neq:{}.5", "before first last after"),
        ("gt:{}.5", "last after"),
        ("gte:{}.5", "middle last after"),
        ("lt:{}.500000", "before first"),
        ("lte:{}.5", "before first middle"),
        ("gt:{}.999999", "after"),
        ("{}.0", "first"),
    ],
)
def test_comparisons(api: APIClient, rows: Any, param: Any, value: Any, expected: Any) -> None:
    response = api.get(
        "/v2/tasks", {param: value.format("2126-03-01T12:30:59"), "sort": "created_at:asc"}
    )

    assert names(response) == expected.split()


@pytest.mark.parametrize(
    "value",
    ["2126-03-01T12:30:59Z", "2126-03-01 12:30:59", "2126-03-01T12:30:59+00:00", "21260301T123059Z"]
    + ["2126-03-01T14:30:59+02:00", "2126-02-28T23:30:59-13:00", "2126-W09-5T12:30:59"]
    + ["2126-03-01T18:00:59+0530"],
)
def test_iso_8601(api: APIClient, rows: Any, value: Any) -> None:
    assert names(api.get("/v2/tasks", {"created_at": value})) == ["last", "middle", "first"]


def test_a_date_is_its_midnight(api: APIClient, make_task: Callable[..., Task]) -> None:
    make_task(name="midnight", created_at=datetime(2026, 3, 1, 0, 0, 0, 7, tzinfo=UTC))
    make_task(name="later", created_at=datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC))

    assert names(api.get("/v2/tasks?created_at=2026-03-01")) == ["midnight"]


def test_repeated_comparisons_mean_and(api: APIClient, rows: Any) -> None:
    query = "created_at=gte:2126-03-01T12:30:59.5&created_at=lt:2126-03-01T12:31:00"

    assert names(api.get(f"/v2/tasks?{query}")) == ["last", "middle"]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("eq", []), ("neq", ["pending"]), ("gt", []), ("gte", []), ("lt", []), ("lte", [])],
)
def test_a_null_matches_only_neq(
    api: APIClient, make_task: Callable[..., Task], operator: Any, expected: Any
) -> None:
    make_task(name="pending")

    assert names(api.get(f"/v2/tasks?expires_at={operator}:2126-03-01")) == expected


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def database_time_zone(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Where a database knows no zones, Django lets it keep local time."""
    kept_statement.cache_clear()
    if not connection.features.supports_timezones:
        monkeypatch.setattr(connections["default"], "timezone", ZoneInfo(request.param))
    yield
    kept_statement.cache_clear()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gt:0001-01-01", ["row"]),
        ("lt:0001-01-01T00:00:00Z", []),
        ("0001-01-01", []),
        ("neq:0001-01-01", ["row"]),
        ("lte:9999-12-31T23:59:59Z", ["row"]),
        ("gt:9999-12-31T23:59:59.999999Z", []),
        ("9999-12-31T23:59:59", []),
        ("neq:9999-12-31T23:59:59", ["row"]),
    ],
)
@pytest.mark.parametrize("param", TIMES)
def test_the_first_and_the_last_year(
    api: APIClient,
    make_task: Callable[..., Task],
    database_time_zone: Any,
    param: Any,
    value: Any,
    expected: Any,
) -> None:
    make_task(name="row", status="failure")

    assert names(api.get("/v2/tasks", {param: value})) == expected


def test_a_list_writes_the_time_in_utc(
    api: APIClient, make_task: Callable[..., Task], database_time_zone: Any
) -> None:
    make_task(created_at=SECOND)

    [task] = api.get("/v2/tasks").json()["tasks"]

    assert task["created_at"] == "2126-03-01T12:30:59Z"


def test_tasks_without_a_time_have_their_place_in_any_time_zone(
    api: APIClient, make_task: Callable[..., Task], database_time_zone: Any
) -> None:
    finished, pending = make_task(name="finished", status="success"), make_task(name="pending")

    assert names(api.get("/v2/tasks?sort=expires_at:asc")) == ["finished", "pending"]
    assert names(api.get(f"/v2/tasks?sort=expires_at&marker={pending.pk}")) == ["finished"]
    assert names(api.get(f"/v2/tasks?sort=expires_at:asc&marker={finished.pk}")) == ["pending"]


@pytest.mark.parametrize(
    "value",
    ["foo", "2026", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01T10:00:00 00:00"]
    + [
        "2026-01-01x10:00",
        "gt:",
        "gt:gt:2026-01-01",
        "GT:2026-01-01",
        "ge:2026-01-01",
        "in:2026-01-01",
    ]
    + ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "0000-01-01", "10000-01-01"]
    + [
        "２０２６-01-01",
        "2026-01-01\n",
        " 2026-01-01",
        "\0",
        "2026-01-01T10:00:00\0Z",
        "null",
        "None",
    ]
    + ["1767225600", "9" * 10_000, "eq:" + "é" * 5_000, "2026-01-01T10:00:00+99:00"],
)
@pytest.mark.parametrize("param", TIMES)
def test_what_is_no_time_is_refused(api: APIClient, param: Any, value: Any) -> None:
    response = api.get("/v2/tasks", {param: value})

    assert error(response) == (400, f"Invalid {param} value: {value}")


def test_as_many_comparisons_as_are_allowed_still_make_a_query(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    make_task(name="row")
    values = [f"neq:2000-01-01T00:00:{n:02}" for n in range(8)]

    assert names(api.get("/v2/tasks", dict.fromkeys(TIMES, values))) == ["row"]


def test_more_comparisons_are_refused(api: APIClient) -> None:
    response = api.get("/v2/tasks", {"created_at": ["gt:2026-01-01"] * 9})

    assert error(response) == (400, "Too many comparisons with created_at: at most 8.")
