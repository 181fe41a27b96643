"""Every change finds its rows by the primary key alone, whatever the planner thinks of the table.

MariaDB locks the entries of the index by which it finds a row, and then the row. Two changes that
come by two indexes lock them in opposite orders: a deadlock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from django_image_tasks import bulk, claims
from django_image_tasks.models import Attempt, LastSweep, Leftover, Task
from django_image_tasks.signals import task_finished
from django_image_tasks.sweep import purge, sweep

pytestmark = pytest.mark.django_db(transaction=True)

PRIMARY = "PRIMARY"
KEYS = {
    Task._meta.db_table: PRIMARY,
    LastSweep._meta.db_table: PRIMARY,
    Attempt._meta.db_table: "image_task_attempt_once",
    Leftover._meta.db_table: "image_task_leftover",
}
TABLE = re.compile(r"\b(?:UPDATE|FROM) [\"`](\w+)")
PAST = timedelta(seconds=-1)


@pytest.fixture(params=[0, 3_000], ids=["a small table", "a large table"])
def table(image_tasks: Any, request: pytest.FixtureRequest) -> None:
    image_tasks["ENGINE"] = "tests.engine.workload"
    now = timezone.now()
    states = [
        {"status": "success", "finished_at": now, "expires_at": now + timedelta(hours=1)},
        {"status": "processing", "lease_expires_at": now + timedelta(hours=1)},
        {"status": "pending", "turn": 1},
    ]
    common = {"type": "workload", "owner": "1"}
    tasks = [Task(**common, **states[n % 3]) for n in range(request.param)]
    Task.objects.bulk_create(tasks)
    Attempt.objects.bulk_create(Attempt(task=each, number=1, started_at=now) for each in tasks)
    Leftover.objects.bulk_create(
        Leftover(
            task_id=each.pk,
            attempt=1,
            task_type="workload",
            input={},
            due_at=now + timedelta(hours=1),
        )
        for each in tasks
    )
    tables = f"ANALYZE TABLE {', '.join(KEYS)}"
    with connection.cursor() as cursor:
        cursor.execute(tables if connection.vendor == "mysql" else "ANALYZE")


@contextmanager
def explained() -> Iterator[list[tuple[str, Any]]]:
    """The statements that change or lock rows, each with its plan."""
    plans: list[tuple[str, Any]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("UPDATE", "DELETE")) or (
            sql.startswith("SELECT") and "FOR UPDATE" in sql
        ):
            with connection.cursor() as cursor:
                cursor.execute(EXPLAIN[connection.vendor] + sql, params)
                names = [column[0] for column in cursor.description]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            plans.append((sql, rows))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans


EXPLAIN = {
    "sqlite": "EXPLAIN QUERY PLAN ",
    "postgresql": "EXPLAIN (FORMAT JSON) ",
    "mysql": "EXPLAIN ",
}


def use_every_verb(make_task: Callable[..., Task]) -> None:
    def start(**values: Any) -> Task:
        task = make_task(**values)
        task.start("worker", values.pop("lease", None))
        return task

    def lose(**values: Any) -> None:
        task = start()
        rows = Task.objects.filter(pk=task.pk)
        rows.update(lease_expires_at=timezone.now() + PAST, **values)
        claims.end_lost_attempt(rows.get(), skip_locked=True)

    minute = timedelta(minutes=1)
    make_task().wait_for_turn()
    start().record_progress(1, 2)
    start().record_checkpoint()
    start().renew_lease()
    start().succeed({})
    start().fail("no")
    start().schedule_next_attempt("later", minute)
    start().hand_over()
    with transaction.atomic():
        make_task().lock_unless_locked()
    make_task().cancel("mia")
    running = start()
    running.cancel("mia")
    running.carry_out_cancel(handler_returned=False)
    running.note_that_handler_returned()
    running.leftover().postpone()
    running.leftover().forget()
    lose()
    lose(cancel_requested_at=timezone.now())
    lose(failed_attempts=2)
    unheard = make_task(status="failure", announce_at=timezone.now() + PAST)
    unheard.claim_announcement()
    unheard.announce_end()
    list(bulk.cancel_tasks([make_task().pk, start().pk], "mia"))
    make_task(status="failure", expires_at=timezone.now() + PAST)
    purge()
    sweep()


def test_every_change_finds_its_rows_by_the_primary_key(
    table: None, make_task: Callable[..., Task]
) -> None:
    def hear(**kwargs: Any) -> None:
        """Be there, or no end is announced."""

    task_finished.connect(hear)
    try:
        with explained() as plans:
            use_every_verb(make_task)
    finally:
        task_finished.disconnect(hear)

    statements = {tuple(sql.split()[:2]) for sql, _ in plans}
    assert {first for first, _ in statements} == {"UPDATE", "DELETE"} | LOCKING
    for sql, rows in plans:
        [table_name] = TABLE.findall(sql)
        assert_found_by(KEYS[table_name], table_name, sql, rows)


LOCKING = set() if connection.vendor == "sqlite" else {"SELECT"}


def assert_found_by(key: str, table_name: str, sql: str, rows: Any) -> None:
    match connection.vendor:
        case "mysql":
            assert [row["possible_keys"] for row in rows] == [key], sql
        case "postgresql":  # a small table may be read as a whole, which locks nothing more
            own = f"{table_name}_pkey" if key == PRIMARY else key
            assert {*indexes(rows[0]["QUERY PLAN"])} <= {own}, sql
        case _:
            # It locks the whole file, by whichever index; but nothing reads the whole table.
            assert all(row["detail"].startswith("SEARCH") for row in rows), (sql, rows)


def indexes(plan: Any) -> Iterator[str]:
    """The indexes that PostgreSQL uses anywhere in a plan."""
    for each in plan if isinstance(plan, list) else plan.values():
        if isinstance(each, dict | list):
            yield from indexes(each)
    if isinstance(plan, dict) and "Index Name" in plan:
        yield plan["Index Name"]
