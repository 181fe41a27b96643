"""Numbers for monitoring, from the database alone: what waits, what runs and what has ended.

Each query reads a bounded part of an index, however long the table is. Times are compared by the
clock of the database, as leases are. The SQL is written out because Django took twice as long to
write it as the databases take to answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Any, NamedTuple

from django.db import connections
from django.db.models.expressions import Col

from django_image_tasks.conf import conf
from django_image_tasks.health import MOST_RUNNING, last_sweep
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED

MOST = 2_000
"""So many waiting tasks, and so many ends of each kind, are counted."""
RECENT = timedelta(minutes=5)
AGES = {
    "under_1m": timedelta(),
    "1m_to_5m": timedelta(minutes=1),
    "5m_to_15m": timedelta(minutes=5),
    "15m_to_1h": timedelta(minutes=15),
    "over_1h": timedelta(hours=1),
}
"""The classes of age, with the age at which each begins."""
OTHER = "other"
"""In the place of types that the settings do not name (any more)."""

WAITING = """
    SELECT MIN(created_at), COUNT(*), {older} FROM (
        SELECT created_at FROM {tasks} WHERE turn IS NOT NULL
        ORDER BY turn, created_at LIMIT {most}
    ) AS waiting"""
OLDER = "COUNT(CASE WHEN created_at <= %s THEN 1 END)"
RUNNING = """
    SELECT COUNT(*), COUNT(CASE WHEN lease_expires_at <= %s THEN 1 END) FROM (
        SELECT lease_expires_at FROM {tasks} WHERE status = 'processing'
        ORDER BY lease_expires_at LIMIT {most_running}
    ) AS running"""
ENDED = """
    SELECT type, '{status}', COUNT(*) FROM (
        SELECT type FROM {tasks} WHERE status = '{status}' AND finished_at >= %s
        ORDER BY finished_at DESC LIMIT {most}
    ) AS ended GROUP BY type"""


class Gauges(NamedTuple):
    """What is measured at one moment. Ages are in seconds."""

    waiting: Mapping[str, int]
    """By class of age. A task's age is the time since it was created."""
    oldest: float
    """The age of the oldest waiting task; 0 if none waits."""
    running: int
    lost: int
    """Those of the running tasks whose worker has let its lease run out."""
    finished: Mapping[tuple[str, str], int]
    """Tasks that have ended within ``RECENT``, by type and status."""
    swept: float
    """The time since the last sweep began; infinite if there was none."""


def look() -> Gauges:
    """Read all numbers, in four queries."""
    sweep = last_sweep()
    waiting, oldest = _waiting(sweep.now)
    [(running, lost)] = _fetch(RUNNING, [sweep.now])
    swept = (sweep.now - sweep.ran_at).total_seconds() if sweep.ran_at else float("inf")
    return Gauges(waiting, oldest, running, lost, _finished(sweep.now - RECENT), swept)


def _waiting(now: datetime) -> tuple[Mapping[str, int], float]:
    names, [_, *ages] = [*AGES], AGES.values()
    sql = WAITING.replace("{older}", ", ".join([OLDER] * len(ages)))
    [(oldest, *older)] = _fetch(sql, [now - age for age in ages])
    counts = [more - less for more, less in pairwise([*older, 0])]
    age = (now - _as_time(oldest)).total_seconds() if oldest else 0.0
    return dict(zip(names, counts, strict=True)), max(0.0, age)


def _finished(since: datetime) -> Mapping[tuple[str, str], int]:
    statuses = [status.value for status in FINISHED]
    finished = dict.fromkeys(product([*sorted(conf.HANDLERS), OTHER], statuses), 0)
    sql = " UNION ALL ".join(ENDED.replace("{status}", status) for status in statuses)
    for type_, status, number in _fetch(sql, [since] * len(statuses)):
        finished[type_ if type_ in conf.HANDLERS else OTHER, status] += number
    return finished


def _fetch(sql: str, times: Sequence[datetime]) -> Any:
    connection = connections[Task.objects.all().db]
    limits = {"most": MOST, "most_running": MOST_RUNNING}
    with connection.cursor() as cursor:
        cursor.execute(
            sql.format(tasks=Task._meta.db_table, **limits),
            [connection.ops.adapt_datetimefield_value(time) for time in times],
        )
        return cursor.fetchall()


def _as_time(value: Any) -> Any:
    """A column's time, as the database's driver returned it."""
    connection = connections[Task.objects.all().db]
    column = Col(Task._meta.db_table, Task._meta.get_field("created_at"))
    for convert in connection.ops.get_db_converters(column):
        value = convert(value, column, connection)
    return value
