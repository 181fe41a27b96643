"""The page after a marker near the end costs what the first page costs."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED

ROWS = 15_000
SHARES = {"success": 45, "failure": 25, "pending": 25, "processing": 5}
START = datetime(2026, 1, 1, tzinfo=UTC)
ANALYZE = {"mysql": f"ANALYZE TABLE {Task._meta.db_table}"}


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A table that is big enough for a planner to choose an index."""
    with django_db_blocker.unblock():
        try:
            user = User.objects.create_user("owner")
            watcher = User.objects.create_user("watcher")
            watcher.user_permissions.add(Permission.objects.get(codename="view_all_tasks"))
            Task.objects.bulk_create(rows(str(user.pk)), batch_size=2_000)
            with connection.cursor() as cursor:
                cursor.execute(ANALYZE.get(connection.vendor, "ANALYZE"))
            yield
        finally:
            Task.objects.all()._raw_delete(connection.alias)
            User.objects.all().delete()


def rows(owner: str) -> Iterator[Task]:
    number = random.Random(7)
    # Where they lie in the order of one index, PostgreSQL prefers that to a better one.
    for n in number.sample(range(ROWS), ROWS):
        [status] = number.choices(list(SHARES), SHARES.values())
        time = START + timedelta(seconds=n)
        finished = {"finished_at": time, "expires_at": time.replace(year=2126)}
        yield Task(
            id=UUID(int=number.getrandbits(128)),
            type="import",
            status=status,
            owner=owner if number.random() < 0.2 else f"other {n % 5}",
            input={},
            created_at=time,
            updated_at=time,
            **(finished if status in FINISHED else {}),
        )


@pytest.fixture
def api(database, db):
    def api(user: User) -> APIClient:
        api = APIClient()
        api.force_authenticate(user)
        return api

    return api


STEPS_FOR_A_ROW = 30
"""What SQLite's virtual machine takes for one; a little less for most."""


def rows_read(sql: str) -> int:
    """How many rows the database looks at, with the plan checked to be one range of one index."""
    return {"postgresql": by_postgresql, "mysql": by_mariadb, "sqlite": by_sqlite}[
        connection.vendor
    ](sql)


def by_postgresql(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [[[plan]]] = cursor.fetchall()
    limit = plan["Plan"]
    [scan] = limit["Plans"]
    assert (limit["Node Type"], scan["Node Type"]) == ("Limit", "Index Scan")
    assert "ROW(" in scan["Index Cond"]
    return scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)


def by_mariadb(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        [row] = cursor.fetchall()
        plan = dict(zip([column[0] for column in cursor.description], row, strict=True))
        cursor.execute("FLUSH LOCAL STATUS")
        cursor.execute(sql)
        cursor.execute("SHOW LOCAL STATUS LIKE 'Handler%'")
        count = {name: int(value) for name, value in cursor.fetchall()}
    assert plan["type"] == "range"
    assert "filesort" not in plan["Extra"]
    # What an index condition turns down is read without being counted.
    turned_down = count["Handler_icp_attempts"] - count["Handler_icp_match"]
    return turned_down + sum(count[f"Handler_read_{how}"] for how in ("key", "next", "prev"))


def by_sqlite(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        [(*_, plan)] = cursor.fetchall()
        steps: list[None] = []
        connection.connection.set_progress_handler(lambda: steps.append(None), 1)
        cursor.execute(sql)
        cursor.fetchall()
        connection.connection.set_progress_handler(None, 0)
    assert plan.startswith(f"SEARCH {Task._meta.db_table} USING INDEX")
    return len(steps) // STEPS_FOR_A_ROW


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sort_key", ["created_at", "status"])
@pytest.mark.parametrize("status", ["", "success", "failure", "pending"])
@pytest.mark.parametrize("who", ["owner", "watcher"])
def test_no_row_is_read_in_vain(api, who, status, sort_key, direction):
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
    assert rows_read(queries.captured_queries[-1]["sql"]) <= 28


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
    admin_user, query, index, is_first
):
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
