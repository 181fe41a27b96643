"""Kept SQL gives the rows that Django's own gives, and stands aside for a host's own ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.apps.registry import Apps
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Group, Permission, User
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils.connection import ConnectionDoesNotExist
from django_filters import CharFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_image_tasks.clock import DatabaseNow
from django_image_tasks.filters import TaskFilterSet
from django_image_tasks.keyset import parse_order
from django_image_tasks.models import Task
from django_image_tasks.permissions import sees_every_owner
from django_image_tasks.statements import MOST, _kept_insert, kept_statement
from tests.wire.answers import allow, ids, names
from tests.wire.test_walk import START, TEXTS, insert, orders, tables

TIMES = ["2126-03-01", "2126-03-01T12:30:59", "2126-03-01T12:31:00", "2126-03-01T12:30:59.999999Z"]
OPERATORS = ["", "eq:", "neq:", "gt:", "gte:", "lt:", "lte:"]

words = {
    "name": TEXTS,
    "owner": TEXTS,
    "user_id": ["", "7"],
    "image_id": [""],
    "request_id": ["a", "in:a,b"],
    "type": ["import"],
    "status": ["pending", "in:success,failure", "processing"],
}
comparisons = st.tuples(
    st.sampled_from(["created_at", "updated_at", "expires_at"]),
    st.builds(str.__add__, st.sampled_from(OPERATORS), st.sampled_from(TIMES)),
)
parameters = st.one_of(
    comparisons,
    *(st.tuples(st.just(name), st.sampled_from(values)) for name, values in words.items()),
)


def same_both_ways(client: Any, path: str, settings: Any) -> Any:
    """The body of an answer that is the same with kept SQL and without."""
    bodies = []
    for keep in (True, False):
        settings.IMAGE_TASKS = {"KEEP_SQL": keep}
        bodies.append(client.get(path).json())
    assert bodies[0] == bodies[1]
    return bodies[0]


@pytest.mark.parametrize("sees_all", [True, False])
@given(tables, st.lists(parameters, max_size=4), orders, st.integers(0, 20), st.integers(0, 5))
@settings(max_examples=125)
def test_any_list_is_the_same(
    user: User,
    api: APIClient,
    settings: Any,
    sees_all: Any,
    table: Any,
    query: Any,
    order: Any,
    marker: Any,
    limit: Any,
) -> None:
    Task.objects.all().delete()
    user.user_permissions.clear()
    insert(*table if sees_all else [row | {"owner": str(user.pk)} for row in table])
    if sees_all:
        allow(user, "view_all_tasks")
    api.force_authenticate(User.objects.get())
    query = [*query, *(("id", row["id"]) for row in table[:marker:7])]
    query += [("sort", f"{key}:{direction}") for key, direction in order] + [("limit", limit)]
    query += [("marker", row["id"]) for row in table[marker : marker + 1]]

    used = kept_statement.cache_info()
    body = same_both_ways(api, f"/v2/tasks?{urlencode(query)}", settings)

    assert "tasks" in body
    assert sum(kept_statement.cache_info()[:2]) > sum(used[:2])


def test_one_statement_serves_other_values(api: APIClient, make_task: Callable[..., Task]) -> None:
    for name in "abc":
        make_task(name=name)
    api.get("/v2/tasks?name=a")
    before = kept_statement.cache_info()

    shown = [api.get(f"/v2/tasks?name={name}").json()["tasks"] for name in "bc"]

    assert [[task["name"] for task in tasks] for tasks in shown] == [["b"], ["c"]]
    assert kept_statement.cache_info().misses == before.misses


def test_a_queryset_that_is_filtered_further_goes_djangos_way(
    make_task: Callable[..., Task],
) -> None:
    make_task(name="a", status="failure")
    kept = make_task(name="b", status="failure")
    rows = Task.objects.hold("status", "failure").in_order(parse_order(["name"], [], []))

    assert list(rows.filter(name__gte="b")) == [kept]
    assert [task.name for task in rows] == ["b", "a"]
    assert [task.name for task in rows[:1]] == ["b"]
    assert list(rows.rows(["name"]).iterator()) == [("b",), ("a",)]
    assert rows.count() == 2


def test_a_queryset_that_was_read_is_read_anew_for_what_is_made_of_it(
    make_task: Callable[..., Task],
) -> None:
    for name in "ab":
        make_task(name=name)
    rows = Task.objects.hold("type", "import")
    assert len(rows) == 2

    assert len(rows.up_to(1)) == 1
    assert [task.name for task in rows.hold("name", "b")] == ["b"]
    make_task()
    assert (len(rows), len(rows.all())) == (2, 3)


def test_a_query_may_be_changed_in_place_and_given(make_task: Callable[..., Task]) -> None:
    for name in "ab":
        make_task(name=name)
    changed, given = Task.objects.hold("type", "import"), Task.objects.hold("name", "a")

    changed.query.set_limits(high=1)
    given.query = Task.objects.hold("name", "b").query

    assert len(changed) == 1
    assert [task.name for task in given] == ["b"]


def test_a_value_has_any_form_that_django_takes(make_task: Callable[..., Task]) -> None:
    task = make_task(owner="7", created_at=START)

    for column, value in {"id": str(task.pk), "owner": 7, "created_at": START.isoformat()}.items():
        assert list(Task.objects.hold(column, value)) == [task]


def test_a_right_acts_at_once_and_ends_at_once(
    api: APIClient, user: User, make_task: Callable[..., Task]
) -> None:
    make_task(owner="somebody else")
    group = Group.objects.create(name="watchers")
    group.permissions.add(Permission.objects.get(codename="view_all_tasks"))
    found = []
    for change in (user.groups.set, user.groups.set, user.user_permissions.set):
        change([] if len(found) == 1 else [group] if not found else group.permissions.all())
        found.append(len(api.get("/v2/tasks").json()["tasks"]))
    user.user_permissions.clear()
    found.append(len(api.get("/v2/tasks").json()["tasks"]))

    assert found == [1, 0, 1, 0]


class GrantingBackend(BaseBackend):
    """A host's own: everybody has every permission."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return True


@pytest.mark.parametrize("others", [[], ["django.contrib.auth.backends.ModelBackend"]])
def test_a_hosts_own_authentication_backend_decides(
    api: APIClient, make_task: Callable[..., Task], settings: Any, others: Any
) -> None:
    make_task(owner="somebody else")
    assert ids(api.get("/v2/tasks")) == []
    settings.AUTHENTICATION_BACKENDS = [*others, f"{__name__}.GrantingBackend"]

    assert len(ids(api.get("/v2/tasks"))) == 1


def test_a_hosts_own_has_perm_decides(
    api: APIClient, make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_task(owner="somebody else")
    assert ids(api.get("/v2/tasks")) == []
    monkeypatch.setattr(User, "has_perm", lambda self, perm, obj=None: True)

    assert len(ids(api.get("/v2/tasks"))) == 1


class PrefixFilterSet(TaskFilterSet):
    """A host's own, with a condition and an order that this package knows nothing of."""

    prefix = CharFilter(field_name="name", lookup_expr="startswith")

    def filter_queryset(self, queryset: Any) -> Any:
        return super().filter_queryset(queryset.exclude(name__endswith="!"))


def test_a_hosts_own_filterset_is_obeyed_for_each_value(
    api: APIClient, make_task: Callable[..., Task], settings: Any
) -> None:
    for name in ("aa", "ab", "ba", "ab!"):
        make_task(name=name)
    settings.IMAGE_TASKS = {"FILTERSET_CLASS": f"{__name__}.PrefixFilterSet"}

    assert names(api.get("/v2/tasks?prefix=a&sort=name:asc")) == ["aa", "ab"]
    assert names(api.get("/v2/tasks?prefix=b&sort=name:asc")) == ["ba"]
    assert names(api.get("/v2/tasks?sort=name:asc")) == ["aa", "ab", "ba"]


class Elsewhere:
    """A host's own router, to a database that there is not."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "elsewhere"


def test_a_hosts_own_router_is_asked_each_time(
    api: APIClient, make_task: Callable[..., Task], settings: Any
) -> None:
    make_task()
    order = parse_order([], [], [])
    assert len(Task.objects.hold("type", "import").in_order(order)) == 1
    settings.DATABASE_ROUTERS = [f"{__name__}.Elsewhere"]

    with pytest.raises(ConnectionDoesNotExist, match="elsewhere"):
        list(Task.objects.hold("type", "import").in_order(order))
    with pytest.raises(ConnectionDoesNotExist, match="elsewhere"):
        sees_every_owner(User.objects.using("default").get())


ROWS = {
    "plain": {},
    "every column": {
        "name": "ä%s \N{GRINNING FACE}",
        "input": {"a": [1, None, {"b": 1.5}], "%(p1)s": "%"},
        "result": {"c": False},
        "status": "failure",
        "message": "it's over",
        "finished_at": START,
        "expires_at": START,
        "bytes_done": 2**62,
        "retry_of": UUID(int=7),
        "idempotency_key": "k",
        "checkpoint": [],
        "checkpoint_attempt": 1,
    },
    "an expression": {"available_at": DatabaseNow()},
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_the_same_as_djangos(
    db: None, settings: Any, django_assert_num_queries: Any, row: str
) -> None:
    settings.IMAGE_TASKS = {"KEEP_SQL": False}
    values = {"type": "import", "owner": "1", "created_at": START, "updated_at": START}
    values |= {"lease_expires_at": None, **ROWS[row]}
    found = []
    for keep in (False, True, True):
        settings.IMAGE_TASKS = {"KEEP_SQL": keep}
        with django_assert_num_queries(1):
            task = Task(id=UUID(int=8), **values)
            task.save(force_insert=True)
        [written] = Task.objects.filter(pk=task.pk).values()
        assert not task._state.adding
        task.delete()
        # The time of the database differs from row to row.
        found.append(written | {"available_at": written["available_at"] is None})

    assert found[0] == found[1] == found[2]


class Offspring(Task):
    """A host's own, whose rows stand in two tables."""

    class Meta:
        app_label = "tests"
        apps = Apps()  # of its own, or else every task that is deleted would look for one


@contextmanager
def recorded() -> Iterator[list[Any]]:
    """The SQL that was sent, each with its parameters."""
    sent: list[Any] = []

    def record(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context) if "offspring" not in sql else None

    with connection.execute_wrapper(record):
        yield sent


def test_a_hosts_own_subclass_is_inserted_djangos_way(db: None) -> None:
    with recorded() as sent:
        Offspring(type="import", owner="1").save(force_insert=(Task, Offspring))

    tables = [re.split('[`"]', sql)[1] for sql, _ in sent if sql.startswith("INSERT")]
    assert tables == [Task._meta.db_table, "tests_offspring"]
    assert Task.objects.count() == 1


def kept() -> Any:
    return kept_statement.cache_info(), _kept_insert.cache_info()


@pytest.mark.parametrize("keep", [True, False])
def test_nothing_is_kept_without_the_setting(
    api: APIClient, create: Callable[..., Any], settings: Any, keep: bool
) -> None:
    settings.IMAGE_TASKS = {"KEEP_SQL": keep}
    before = kept()

    location = create()["Location"]
    after_create = kept()

    assert len(ids(api.get("/v2/tasks"))) == 1
    assert api.get(location).status_code == 200
    assert (after_create != before, kept() != after_create) == (keep, keep)


def test_on_sqlite_parameters_have_names(db: None, settings: Any) -> None:
    """Django looks for those that have none with a regular expression."""
    settings.IMAGE_TASKS = {"KEEP_SQL": True}
    with recorded() as sent:
        Task.objects.create(type="import", owner="1")
        list(Task.objects.hold("owner", "1"))

    has_names = [isinstance(params, dict) for sql, params in sent]
    assert has_names == [connection.vendor == "sqlite"] * 2


def odd(rows: Any, name: str) -> Any:
    return rows.annotate(rest=F("attempts") % 2).filter(rest=1, name=name)


def test_a_percent_sign_in_the_sql_is_one(make_task: Callable[..., Task]) -> None:
    tasks = [make_task(name="a", attempts=number) for number in range(4)]

    found = Task.objects.then(odd, values=[("name", "a")])

    assert set(found) == {tasks[1], tasks[3]}


def test_a_row_that_is_refused_is_refused_in_djangos_words(db: None) -> None:
    for _ in range(2):
        with pytest.raises(IntegrityError), transaction.atomic():
            Task(type="import", owner="1", progress=101).save(force_insert=True)

    assert not Task.objects.exists()


def test_so_many_statements_are_kept_and_no_more(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Each limit has SQL of its own, and a client may name any."""
    settings.IMAGE_TASKS = {"KEEP_SQL": True}
    few = lru_cache(maxsize=10)(kept_statement.__wrapped__)
    monkeypatch.setattr("django_image_tasks.statements.kept_statement", few)
    tasks = [make_task(name=str(number)) for number in range(3)]
    order = parse_order(["name"], ["asc"], [])

    for limit in range(1, 30):
        found = list(Task.objects.all().in_order(order).up_to(limit))
        assert found == tasks[:limit]

    assert few.cache_info().currsize == 10
    assert kept_statement.cache_parameters()["maxsize"] == MOST
