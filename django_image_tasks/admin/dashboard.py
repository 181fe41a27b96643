"""What stands above the list: numbers, a chart of the last day, and the workers.

Nine queries, each of a bounded part of an index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Subquery
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format

from django_image_tasks.admin.bounded import CAP, CappedCount, capped_counts, shown
from django_image_tasks.health import Health, Running, is_silent, look, process_of
from django_image_tasks.measures import duration, relative_time
from django_image_tasks.models import Attempt, Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.statements import Slot
from django_image_tasks.states import FINISHED, Status

HOURS = 24
HOUR_CAP = 1_000
"""Of a busier hour the chart says no more than that it was busier."""
ATTEMPTS = 200
"""So many of the newest attempts tell which workers there are."""
WORKERS = 6
SHARED = 10
"""So many seconds the pages that are open go by what one of them has read."""

HEIGHT, STEP, BAR = 96, 20, 14
"""The chart's height, the room of an hour and the width of its bar, in units of the drawing."""
LEAST = 2
"""The length of the shortest bar: one task can be seen beside a thousand."""


class Tile(NamedTuple):
    """How many tasks are in a status."""

    status: Status
    number: str


class Worker(NamedTuple):
    """A worker's process, the tasks that it runs, and when it was seen."""

    name: str
    running: Sequence[Running]
    seen: datetime

    @property
    def silent(self) -> str | None:
        """How long it has been silent, if that is longer than it should be."""
        shortest = min((each.silent for each in self.running), default=timedelta())
        return duration(shortest) if is_silent(shortest) else None


class Hour(NamedTuple):
    """How many tasks ended in an hour."""

    start: datetime
    succeeded: int
    failed: int


class Bar(NamedTuple):
    """An hour as the chart draws it."""

    time: str
    succeeded: str
    failed: str
    x: int
    top: int
    above: int
    below: int


class Dashboard(NamedTuple):
    """What an operator sees above the first page of the whole list."""

    health: Health
    values: Mapping[str, Any]
    """Every number; none where there are no tasks."""
    hours: Sequence[Hour]
    workers: list[Worker]
    """Those that run something, and the last ones that did."""

    @classmethod
    def read(cls, tasks: TaskQuerySet) -> Dashboard:
        health = look(tasks)
        values, hours = _values(tasks, health.now), _hours(tasks, health.now)
        return cls(health, values, hours, _workers(health))

    @classmethod
    def shared(cls, tasks: TaskQuerySet) -> Dashboard:
        """The same, at most ``SHARED`` seconds old, from the project's cache.

        Of two hundred open pages, one asks the database.
        """
        key = f"django_image_tasks.{sha256(str(tasks.query).encode()).hexdigest()}"
        board: Dashboard | None = cache.get(key)
        if board is None:
            cache.set(key, board := cls.read(tasks), SHARED)
        return board

    @property
    def tiles(self) -> list[Tile]:
        """A number for each status."""
        return [Tile(status, shown(self.values.get(status, 0))) for status in Status]

    @property
    def stuck(self) -> str | None:
        """How many tasks nobody looks after."""
        number = self.values.get("stuck")
        return shown(number) if number else None

    @property
    def oldest_pending(self) -> dict[str, Any] | None:
        """The task that has waited longest."""
        created_at = self.values.get("oldest_created_at")
        if created_at is None:
            return None
        return {"pk": self.values["oldest_pk"], "time": relative_time(created_at)}

    @property
    def chart(self) -> Chart:
        """What ended in each of the last hours."""
        return Chart(self.hours, HOUR_CAP)


def _hours(tasks: TaskQuerySet, now: datetime) -> list[Hour]:
    """What ended in each hour of the chart; the last one is not over."""
    current = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
    starts = [current - timedelta(hours=ago) for ago in reversed(range(HOURS))]
    time = Task._meta.get_field("finished_at")
    rows = tasks.filter(
        status=Slot(0, Task._meta.get_field("status")),
        finished_at__gte=Slot(1, time),
        finished_at__lt=Slot(2, time),
    )
    asked = [(status, start, start + timedelta(hours=1)) for status in FINISHED for start in starts]
    counts = capped_counts(rows, asked, HOUR_CAP)
    return list(map(Hour, starts, counts[:HOURS], counts[HOURS:]))


def _values(tasks: TaskQuerySet, now: datetime) -> dict[str, Any]:
    """Every number, as one row; empty where there are no tasks."""
    oldest = tasks.filter(status=Status.PENDING).order_by("created_at", "id")
    values: dict[str, Any] = {
        "stuck": CappedCount(tasks.stale(now), CAP),
        "oldest_pk": Subquery(oldest.values("pk")[:1]),
        "oldest_created_at": Subquery(oldest.values("created_at")[:1]),
    }
    for status in Status:
        values[status] = CappedCount(tasks.filter(status=status), CAP)
    rows = tasks.order_by("pk").annotate(**{f"n_{key}": values[key] for key in values})
    row = rows.values(*(f"n_{key}" for key in values)).first()
    return {key.removeprefix("n_"): value for key, value in (row or {}).items()}


def _workers(health: Health) -> list[Worker]:
    running = health.workers
    seen = {name: health.now - silence for name, silence in health.silences.items()}
    newest = Attempt.objects.order_by("-pk").values_list("worker", "ended_at", "started_at")
    for worker, ended_at, started_at in newest[:ATTEMPTS]:
        name, at = process_of(worker), ended_at or started_at
        seen[name] = max(at, seen.get(name, at))
    latest = sorted(seen, key=lambda name: seen[name], reverse=True)
    return [Worker(name, running.get(name, ()), seen[name]) for name in latest[:WORKERS]]


class Chart:
    """Throughput as a drawing: successes stand on a line, and failures hang from it.

    Of an hour with more than ``cap`` tasks of a kind, only that is known.
    """

    height, bar_width = HEIGHT, BAR

    def __init__(self, hours: Sequence[Hour], cap: int) -> None:
        self.hours, self.cap = hours, cap
        self.width = STEP * len(hours)
        self.most_succeeded = max(hour.succeeded for hour in hours)
        self.most_failed = max(hour.failed for hour in hours)
        self.is_empty = not (self.most_succeeded or self.most_failed)
        self.baseline = self._length(self.most_succeeded)
        self.succeeded = self._sum([hour.succeeded for hour in hours])
        self.failed = self._sum([hour.failed for hour in hours])

    @property
    def bars(self) -> list[Bar]:
        """Each hour's bar, the oldest first."""
        return [
            Bar(
                time=format_date(hour.start, "H:i"),
                succeeded=shown(hour.succeeded, self.cap),
                failed=shown(hour.failed, self.cap),
                x=STEP * number + (STEP - BAR) // 2,
                top=self.baseline - self._length(hour.succeeded),
                above=self._length(hour.succeeded),
                below=self._length(hour.failed),
            )
            for number, hour in enumerate(self.hours)
        ]

    def _length(self, number: int) -> int:
        room = HEIGHT - 2 * LEAST
        most = self.most_succeeded + self.most_failed
        return max(LEAST, round(number * room / most)) if number else 0

    def _sum(self, numbers: Sequence[int]) -> str:
        total = sum(min(number, self.cap) for number in numbers)
        digits = number_format(total, force_grouping=True)
        return f"{digits}+" if max(numbers) > self.cap else digits
