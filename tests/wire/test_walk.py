"""Walking ``next`` from page to page, checked against Python's own sort."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_image_tasks.keyset import SORT_KEYS
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED
from tests.wire.answers import allow

START = datetime(2126, 3, 1, 12, 30, 59, tzinfo=UTC)
TEXTS = ["", " ", "A", "a", "a ", "a\t", "aa", "B", "b", "ä", "\uffff", "\U0001f4be"]

times = st.sampled_from([0, 1, 999_999, 1_000_000]).map(
    lambda microseconds: START + timedelta(microseconds=microseconds)
)
rows = st.builds(
    dict,
    id=st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number)),
    name=st.sampled_from(TEXTS),
    type=st.sampled_from(TEXTS),
    owner=st.sampled_from(TEXTS),
    status=st.sampled_from(["pending", "processing", "success", "failure"]),
    created_at=times,
    updated_at=times,
    expires_at=st.none() | times,
)
tables = st.lists(rows, max_size=14, unique_by=lambda row: row["id"])
orders = st.lists(
    st.tuples(st.sampled_from(SORT_KEYS), st.sampled_from(["asc", "desc"])),
    max_size=4,
    unique_by=lambda pair: pair[0],
)
filters = st.sampled_from(
    [{}, {}, {"status": "pending"}, {"name": "a"}, {"status": "in:success,failure"}]
    + [{"expires_at": "neq:2126-03-01T12:30:59"}, {"created_at": "gte:2126-03-01T12:30:59.5"}]
)


@pytest.fixture
def watcher(user: User, api: APIClient) -> Any:
    """A client that sees every owner's tasks."""
    allow(user, "view_all_tasks")
    api.force_authenticate(User.objects.get())
    return api


def insert(*rows: dict[str, Any]) -> list[Task]:
    return Task.objects.bulk_create(
        Task(**row, finished_at=START if row["status"] in FINISHED else None) for row in rows
    )


def path_of(order: Any, query: Any, limit: Any) -> str:
    return "/v2/tasks?" + urlencode(
        [("sort_key", key) for key, _ in order]
        + [("sort_dir", direction) for _, direction in order]
        + [*query.items(), ("limit", limit)]
    )


def matches(row: dict[str, Any], query: dict[str, str]) -> bool:
    [(name, value)] = query.items() or [("", "")]
    match value:
        case "":
            return True
        case "in:success,failure":
            return row[name] in FINISHED
        case "neq:2126-03-01T12:30:59":
            return row[name] is None or row[name] >= START + timedelta(seconds=1)
        case "gte:2126-03-01T12:30:59.5":
            return row[name] >= START + timedelta(seconds=0.5)
    return row[name] == value


def in_order(rows: list[dict[str, Any]], order: Any) -> list[dict[str, Any]]:
    last = order[-1][1] if order else "desc"
    total = [*(order or [("created_at", last)]), ("created_at", last), ("id", last)]
    for key, direction in reversed(total):
        rows = sorted(
            rows,
            key=lambda row: START.replace(year=9999) if row[key] is None else row[key],
            reverse=direction == "desc",
        )
    return rows


@given(tables, orders, filters, st.integers(1, 5))
def test_every_page_is_as_python_sorts(
    watcher: Any, table: Any, order: Any, query: Any, limit: Any
) -> None:
    Task.objects.all().delete()
    insert(*table)

    pages, path = [], path_of(order, query, limit)
    while path:
        assert len(pages) <= len(table)
        body = watcher.get(path).json()
        pages.append([task["id"] for task in body["tasks"]])
        path = body.get("next")

    expected = [str(row["id"]) for row in in_order(table, order) if matches(row, query)]
    assert [pk for page in pages for pk in page] == expected
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1] or pages == [[]]


@given(tables, tables, orders, filters, st.integers(1, 3), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_other_rows_may_come_end_and_go_on_the_way(
    watcher: Any, table: Any, newcomers: Any, order: Any, query: Any, limit: Any, random: Any
) -> None:
    Task.objects.all().delete()
    insert(*table)
    used = {key for key, _ in order} | set(query)
    promised = {str(row["id"]) for row in table if matches(row, query)}
    taken = {row["id"] for row in table}
    newcomers = [row for row in newcomers if row["id"] not in taken]

    seen, path = [], path_of(order, query, limit)
    while path:
        body = watcher.get(path).json()
        seen += [task["id"] for task in body["tasks"]]
        assert len(seen) <= 60
        path = body.get("next")
        others = [str(row["id"]) for row in table if str(row["id"]) not in seen[-1:]]
        finished, purged = [others and random.choice(others) for _ in range(2)]
        if newcomers:
            insert(newcomers.pop())
        if finished:
            change = {"status": "failure", "expires_at": START, "updated_at": START}
            Task.objects.filter(pk=finished).update(finished_at=START, **change)
            if used & set(change):
                promised.discard(finished)
        if purged and random.random() < 0.3:
            Task.objects.filter(pk=purged).delete()
            promised.discard(purged)

    assert promised <= set(seen)
    assert all(seen.count(pk) == 1 for pk in promised)
