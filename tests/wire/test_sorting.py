"""``sort_key``, ``sort_dir`` and ``sort``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.filters import TaskFilterSet
from django_image_tasks.keyset import SORT_KEYS, SortKey, parse_order
from django_image_tasks.models import Task
from tests.wire.answers import error, ids, names

TIME = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("id", [UUID(int=1), UUID(int=2**120), UUID(int=2**127)]),
        ("name", ["", " ", "A", "B", "a", "a ", "aa", "b", "ä", "ﬀ", "\U0001f4be"]),
        ("type", ["Import", "export", "import"]),
        ("status", ["failure", "pending", "processing", "success"]),
        ("created_at", [TIME, TIME + timedelta(microseconds=1), TIME + timedelta(seconds=1)]),
        ("updated_at", [TIME, TIME + timedelta(microseconds=1), TIME + timedelta(seconds=1)]),
        ("expires_at", [TIME.replace(year=2126), TIME.replace(year=9998), None]),
    ],
)
def test_each_key_sorts(
    api: APIClient, make_task: Callable[..., Task], key: Any, values: Any
) -> None:
    tasks = [str(make_task(**{key: value}).pk) for value in values]

    assert ids(api.get(f"/v2/tasks?sort_key={key}&sort_dir=asc")) == tasks
    assert ids(api.get(f"/v2/tasks?sort_key={key}")) == tasks[::-1]


def test_ties_are_broken_in_the_last_keys_direction(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    for name, seconds, number in [("a", 0, 2), ("b", 0, 1), ("c", 1, 3)]:
        created_at = TIME + timedelta(seconds=seconds)
        make_task(name=name, created_at=created_at, id=UUID(int=number))

    assert names(api.get("/v2/tasks?sort_key=status&sort_dir=asc")) == ["b", "a", "c"]
    assert names(api.get("/v2/tasks?sort_key=status")) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "-created_at -id"),
        ("sort_dir=asc", "created_at id"),
        ("sort_dir=", "-created_at -id"),
        ("sort_key=&sort_dir=asc", "created_at id"),
        ("sort_key=id", "-id"),
        ("sort_key=id&sort_key=name", "-id"),
        ("sort_key=created_at&sort_dir=asc", "created_at id"),
        ("sort_key=name&sort_key=status&sort_dir=asc", "name -status -created_at -id"),
        ("sort_key=name&sort_key=status&sort_dir=&sort_dir=asc", "-name status created_at id"),
        ("sort_dir=asc&sort_key=name&sort_key=created_at", "name -created_at -id"),
        ("sort=status:asc,created_at", "status -created_at -id"),
        ("sort=status:asc&sort=name:desc", "status -name -created_at -id"),
        ("sort=status:", "-status -created_at -id"),
        ("sort=&sort_key=name", "-name -created_at -id"),
        ("sort=name&sort_key=&sort_dir=", "-name -created_at -id"),
    ],
)
def test_pairing(query: Any, expected: Any) -> None:
    filterset = TaskFilterSet(QueryDict(query), Task.objects.all())

    assert filterset.is_valid()
    assert [f"{'-' * key.descending}{key.name}" for key in filterset.qs.order] == expected.split()


@pytest.mark.parametrize(
    "query",
    ["sort_key=foo", "sort_key=STATUS", "sort_key=input", "sort_key=message", "sort_key=pk"]
    + ["sort_key=status,type", "sort_key=-name", "sort_key=__class__", "sort_key=%00"]
    + ["sort_key=owner__id", "sort=foo", "sort=,", "sort=status,", "sort=:asc", "sort=a+b"]
    + [f"sort_key={'x' * 10_000}"],
)
def test_an_unknown_sort_key_is_refused(api: APIClient, query: Any) -> None:
    assert error(api.get(f"/v2/tasks?{query}")) == (400, "Sort key supplied was not valid.")


@pytest.mark.parametrize("direction", ["ASC", "up", "asc ", "\0", "ascending", "é" * 5000])
def test_an_unknown_direction_is_refused(api: APIClient, direction: Any) -> None:
    response = api.get("/v2/tasks", {"sort_dir": direction})

    assert error(response) == (400, f"Invalid sort direction: {direction}")


def test_an_unknown_direction_in_sort_is_refused(api: APIClient) -> None:
    response = api.get("/v2/tasks?sort=name:asc,status:asc:x")

    assert error(response) == (400, "Invalid sort direction: asc:x")


@pytest.mark.parametrize(
    "query",
    [
        "sort_key=name&sort_key=name",
        "sort=name,name:asc",
        "&".join(f"sort_key={key}" for key in [*SORT_KEYS, "name"]),
        "sort_dir=asc&sort_dir=asc",
        "sort_key=name&sort_dir=asc&sort_dir=",
        "sort=name&sort_key=name",
        "sort=name&sort_dir=asc",
    ],
)
def test_more_than_can_be_meant_is_refused(api: APIClient, query: Any) -> None:
    code, _ = error(api.get(f"/v2/tasks?{query}"))

    assert code == 400


def test_all_eight_keys_may_be_given(api: APIClient, make_task: Callable[..., Task]) -> None:
    make_task()
    query = "&".join(f"sort_key={key}" for key in SORT_KEYS)

    assert len(ids(api.get(f"/v2/tasks?{query}"))) == 1


directions = st.sampled_from(["asc", "desc", ""])


@given(st.lists(st.sampled_from(SORT_KEYS), min_size=1, unique=True), st.lists(directions))
def test_the_nth_direction_belongs_to_the_nth_key(keys: Any, given: Any) -> None:
    if len(given) > len(keys):
        with pytest.raises(InvalidInput):
            parse_order(keys, given, [])
        return

    ordering = Task.objects.in_order(parse_order(keys, given, [])).order

    paired = [SortKey(key, n >= len(given) or given[n] != "asc") for n, key in enumerate(keys)]
    assert ordering[: len(keys)] == paired[: len(ordering)]
    assert ordering[-1].name == "id"
    assert {key.descending for key in ordering[len(keys) :]} <= {paired[-1].descending}


@given(st.lists(st.tuples(st.sampled_from(SORT_KEYS), directions), min_size=1))
def test_both_forms_of_sorting_mean_the_same(pairs: Any) -> None:
    keys, given = [key for key, _ in pairs], [direction for _, direction in pairs]
    sort = ",".join(f"{key}:{direction}" for key, direction in pairs)
    if len(set(keys)) < len(keys):
        with pytest.raises(InvalidInput):
            parse_order([], [], [sort])
        return

    assert parse_order([], [], [sort]) == parse_order(keys, given, [])
