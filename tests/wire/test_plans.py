"""The page after a marker near the end costs what the first page costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_image_tasks.keyset import SortKey, parse_order
from django_image_tasks.models import Task
from tests.big_table import big_table, rows_read
from tests.databases import locked, needs_server
from tests.wire.answers import error


@pytest.fixture(scope="module")
def database(django_db_setup: Any, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        try:
            user = User.objects.create_user("owner")
            watcher = User.objects.create_user("watcher")
            watcher.user_permissions.add(Permission.objects.get(codename="view_all_tasks"))
            with big_table(str(user.pk)):
                yield
        finally:
            User.objects.all().delete()


@pytest.fixture
def api(database: Any, db: None) -> Any:
    def api(user: User) -> APIClient:
        api = APIClient()
        api.force_authenticate(user)
        return api

    return api


def check_plan(sql: str, *, is_first: bool = False) -> None:
    """One range of one index, and nothing to sort; the first page may begin at its end."""
    with connection.cursor() as cursor:
        match connection.vendor:
            case "postgresql":
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
                [[[plan]]] = cursor.fetchall()
                [scan] = plan["Plan"]["Plans"]
                assert (plan["Plan"]["Node Type"], scan["Node Type"]) == ("Limit", "Index Scan")
                assert is_first or "Index Cond" in scan
            case "mysql":
                cursor.execute(f"EXPLAIN {sql}")
                [row] = cursor.fetchall()
                plan = dict(zip([column[0] for column in cursor.description], row, strict=True))
                assert plan["type"] in (["range", "index", "ref"] if is_first else ["range"])
                assert "filesort" not in plan["Extra"]
            case _:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                [(*_, plan)] = cursor.fetchall()
                assert plan.startswith(("SEARCH", "SCAN") if is_first else "SEARCH")
                assert " USING INDEX " in plan


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sort_key", ["created_at", "status"])
@pytest.mark.parametrize("status", ["", "success", "failure", "pending"])
@pytest.mark.parametrize("who", ["owner", "watcher"])
def test_no_row_is_read_in_vain(
    api: Any, who: Any, status: Any, sort_key: Any, direction: Any
) -> None:
    user = User.objects.get(username=who)
    tasks = Task.objects.filter(
        **({"status": status} if status else {}), **({"owner": user.pk} if who == "owner" else {})
    )
    backwards = "" if direction == "desc" else "-"
    order = [f"{backwards}{sort_key}", f"{backwards}created_at"]
    marker = tasks.order_by(*order)[tasks.count() // 2]
    query = f"status={status}&sort_key={sort_key}&sort_dir={direction}&marker={marker.pk}"

    with CaptureQueriesContext(connection) as queries:
        page = api(user).get(f"/v2/tasks?{query}").json()

    assert len(page["tasks"]) == 25
    sql = queries.captured_queries[-1]["sql"]
    check_plan(sql)
    assert rows_read(sql) <= 28


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sort_key", ["name", "id", "updated_at"])
@pytest.mark.parametrize("who", ["owner", "watcher"])
def test_what_people_sort_by_is_in_the_order_of_an_index(
    api: Any, who: Any, sort_key: Any, direction: Any, is_first: Any
) -> None:
    user = User.objects.get(username=who)
    tasks = Task.objects.visible_to(str(user.pk), every_owner=who == "watcher")
    ordered = tasks.in_order(parse_order([sort_key], [direction], []))
    marker = "" if is_first else ordered[tasks.count() // 2].pk
    query = f"sort_key={sort_key}&sort_dir={direction}&marker={marker}"

    with CaptureQueriesContext(connection) as queries:
        page = api(user).get(f"/v2/tasks?{query}").json()

    assert len(page["tasks"]) == 25
    sql = queries.captured_queries[-1]["sql"]
    check_plan(sql, is_first=is_first)
    # MariaDB finds a fifth of the tasks soon enough by the primary key.
    is_by_primary_key = connection.vendor == "mysql" and sort_key == "id" and is_first
    assert rows_read(sql) <= (200 if is_by_primary_key else 28)


@pytest.mark.parametrize("value", ["rare 3000", "nobody", "in:rare 3000,rare 6000", "in:x,y,z"])
@pytest.mark.parametrize("param", ["name", "user_id", "image_id", "request_id"])
@pytest.mark.parametrize("who", ["owner", "watcher"])
def test_what_few_tasks_have_is_found_without_the_others(
    api: Any, who: Any, param: Any, value: Any
) -> None:
    """Also where most tasks have one and the same value, or none."""
    user = User.objects.get(username=who)

    with CaptureQueriesContext(connection) as queries:
        page = api(user).get("/v2/tasks", {param: value}).json()

    assert len(page["tasks"]) == value.count("rare")
    statements = [query["sql"] for query in queries if Task._meta.db_table in query["sql"]]
    assert sum(map(rows_read, statements)) <= 20


@pytest.mark.parametrize("value", ["usual", "in:usual,rare 3000"])
@pytest.mark.parametrize("param", ["user_id", "request_id"])
@pytest.mark.parametrize("who", ["owner", "watcher"])
def test_what_most_tasks_have_is_shown_in_the_order_of_an_index(
    api: Any, who: Any, param: Any, value: Any
) -> None:
    user = User.objects.get(username=who)

    with CaptureQueriesContext(connection) as queries:
        page = api(user).get("/v2/tasks", {param: value}).json()

    assert len(page["tasks"]) == 25
    [*_, sql] = [query["sql"] for query in queries if Task._meta.db_table in query["sql"]]
    assert rows_read(sql.rpartition(" FOR ")[2]) <= 400


def test_few_tasks_are_sorted_and_not_looked_for_among_the_others(database: Any, db: None) -> None:
    oldest = Task.objects.order_by("created_at").values_list("pk", flat=True)[:60]
    page = Task.objects.among(list(oldest)).in_order([SortKey("created_at", True)])[:50]

    with CaptureQueriesContext(connection) as queries:
        assert len(page) == 50

    assert rows_read(queries.captured_queries[-1]["sql"]) <= 200


@pytest.mark.parametrize(
    ("query", "is_limited"),
    [
        ("sort_key=expires_at", True),
        ("sort=status:asc,created_at:desc", True),
        ("updated_at=lt:2026-01-01T01:00", True),
        ("updated_at=lt:2026-01-01T01:00&sort_key=updated_at", False),
        ("created_at=neq:2026-01-01T01:00", False),
        ("sort_key=name", False),
        ("name=in:x,y", False),
        ("", False),
    ],
)
def test_what_no_index_serves_has_a_limit_of_time(
    api: Any, settings: Any, query: Any, is_limited: Any
) -> None:
    needs_server()
    settings.IMAGE_TASKS = {"LIST_TIMEOUT": 0.1}
    watcher = api(User.objects.get(username="watcher"))

    with locked(Task._meta.db_table, seconds=0.5):
        response = watcher.get(f"/v2/tasks?{query}")

    assert response.status_code == (503 if is_limited else 200)
    if is_limited:
        assert error(response) == (
            503,
            "The database took too long. Ask for fewer tasks, or sort them by what the query"
            " compares.",
        )


def test_after_a_list_that_took_too_long_the_next_one_is_answered(api: Any, settings: Any) -> None:
    settings.IMAGE_TASKS = {"LIST_TIMEOUT": 0.001}
    watcher = api(User.objects.get(username="watcher"))
    watcher.get("/v2/tasks?sort_key=expires_at")
    settings.IMAGE_TASKS = {"LIST_TIMEOUT": 30}

    assert watcher.get("/v2/tasks?sort_key=expires_at").status_code == 200
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="The other databases keep statistics.")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("type=import", "image_task_type"),
        ("type=import&status=failure", "image_task_status"),
        ("type=import&owner=7", "image_task_owner"),
        ("type=import&owner=7&status=failure", "image_task_owner_status"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_without_statistics_sqlite_takes_the_index_that_selects_most(
    admin_user: User, query: Any, index: Any, is_first: Any
) -> None:
    marker = Task.objects.create(type="export", owner="8")
    query = query if is_first else f"{query}&marker={marker.pk}"
    api = APIClient()
    api.force_authenticate(admin_user)
    with CaptureQueriesContext(connection) as queries:
        api.get(f"/v2/tasks?{query}")
    sql = queries.captured_queries[-1]["sql"]

    with closing(sqlite3.connect(":memory:")) as fresh, connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s", [Task._meta.db_table])
        for [definition] in cursor.fetchall():
            fresh.execute(definition or "")
        [(*_, plan)] = fresh.execute(f"EXPLAIN QUERY PLAN {sql}")

    assert f"USING INDEX {index} " in plan
