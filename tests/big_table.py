"""A table that is big enough for a planner to choose an index, and what is read of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED

ROWS = 15_000
SHARES = {"success": 45, "failure": 25, "pending": 25, "processing": 5}
START = datetime(2026, 1, 1, tzinfo=UTC)
ANALYZE = {"mysql": f"ANALYZE TABLE {Task._meta.db_table}"}
TIDY = ANALYZE | {"postgresql": f"VACUUM ANALYZE {Task._meta.db_table}"}
"""What earlier tests left of their rows would have a part in what PostgreSQL plans."""


@contextmanager
def big_table(owner: str, finished_at: datetime | None = None) -> Iterator[None]:
    """The rows are there in this block. Those that have finished did so one after another, or all
    at ``finished_at``.
    """
    try:
        Task.objects.bulk_create(rows(owner, finished_at), batch_size=2_000)
        with connection.cursor() as cursor:
            cursor.execute(TIDY.get(connection.vendor, "ANALYZE"))
        yield
    finally:
        Task.objects.all()._raw_delete(connection.alias)


def rows(owner: str, finished_at: datetime | None) -> Iterator[Task]:
    number = random.Random(7)
    # Where they lie in the order of one index, PostgreSQL prefers that to a better one.
    for n in number.sample(range(ROWS), ROWS):
        [status] = number.choices(list(SHARES), SHARES.values())
        time = START + timedelta(seconds=n)
        finished = {"finished_at": finished_at or time, "expires_at": time.replace(year=2126)}
        rare = f"rare {n}" if n % 3000 == 0 else ""
        yield Task(
            id=UUID(int=number.getrandbits(128)),
            type="import",
            status=status,
            owner=owner if number.random() < 0.2 or rare else f"other {n % 5}",
            name=rare or number.choice(["nightly", f"image {n}"]),
            user_id=rare or "usual",
            image_id=rare,
            request_id=rare or "usual",
            input={},
            created_at=time,
            updated_at=time + timedelta(seconds=number.random() * 3600),
            **(finished if status in FINISHED else {}),
        )


STEPS_FOR_A_ROW = 30
"""What SQLite's virtual machine takes for one; a little less for most."""


def rows_read(sql: str) -> int:
    """How many rows the database looks at."""
    return {"postgresql": by_postgresql, "mysql": by_mariadb, "sqlite": by_sqlite}[
        connection.vendor
    ](sql)


def by_postgresql(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [[[plan]]] = cursor.fetchall()
    return of_scans(plan["Plan"])


def of_scans(node: dict[str, Any]) -> int:
    below = node.get("Plans", [])
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return sum(map(of_scans, below)) if below else read


def by_mariadb(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("FLUSH LOCAL STATUS")
        cursor.execute(sql)
        cursor.execute("SHOW LOCAL STATUS LIKE 'Handler%'")
        count = {name: int(value) for name, value in cursor.fetchall()}
    # What an index condition turns down is read without being counted.
    turned_down = count["Handler_icp_attempts"] - count["Handler_icp_match"]
    return turned_down + sum(count[f"Handler_read_{how}"] for how in ("key", "next", "prev"))


def by_sqlite(sql: str) -> int:
    with connection.cursor() as cursor:
        steps: list[None] = []
        connection.connection.set_progress_handler(lambda: steps.append(None), 1)
        cursor.execute(sql)
        cursor.fetchall()
        connection.connection.set_progress_handler(None, 0)
    return len(steps) // STEPS_FOR_A_ROW
