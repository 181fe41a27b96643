"""What an operator sees above the list. Three queries, each of a bounded part of an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Subquery
from django.utils import timezone
from django.utils.safestring import SafeString

from django_image_tasks.admin.chart import Chart, Hour
from django_image_tasks.admin.columns import status_icon
from django_image_tasks.admin.counts import CappedCount, shown
from django_image_tasks.admin.times import relative_time
from django_image_tasks.models import Attempt
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import Status

HOURS = 24
HOUR_CAP = 1_000
"""Of a busier hour the chart says no more than that it was busier."""
ATTEMPTS = 200
"""So many of the newest tell which workers there are."""
WORKERS = 6
ENDS = (Status.SUCCESS, Status.FAILURE)


class Tile(NamedTuple):
    status: Status
    icon: SafeString
    number: str


class Worker(NamedTuple):
    name: str
    running: int
    seen: str


class Dashboard:
    def __init__(self, tasks: TaskQuerySet) -> None:
        self.tasks, self.now = tasks, timezone.now()

    @property
    def tiles(self) -> list[Tile]:
        return [
            Tile(status, status_icon(status), shown(self._values.get(status, 0)))
            for status in Status
        ]

    @property
    def stuck(self) -> str | None:
        number = self._values.get("stuck")
        return shown(number) if number else None

    @property
    def oldest_pending(self) -> dict[str, Any] | None:
        created_at = self._values.get("oldest_created_at")
        if created_at is None:
            return None
        return {"pk": self._values["oldest_pk"], "time": relative_time(created_at, self.now)}

    @cached_property
    def chart(self) -> Chart:
        return Chart(
            [
                Hour(start, *(self._values.get(f"{status}_{number}", 0) for status in ENDS))
                for number, start in enumerate(self._hours)
            ],
            HOUR_CAP,
        )

    @cached_property
    def workers(self) -> list[Worker]:
        """Those that run something, and the last ones that did."""
        leases = self.tasks.filter(status=Status.PROCESSING, lease_expires_at__gt=self.now)
        running = Counter(map(_process, leases.values_list("lease_owner", flat=True)[:ATTEMPTS]))
        seen: dict[str, datetime] = dict.fromkeys(running, self.now)
        newest = Attempt.objects.order_by("-pk").values_list("worker", "ended_at", "started_at")
        for worker, ended_at, started_at in newest[:ATTEMPTS]:
            name, at = _process(worker), ended_at or started_at
            seen[name] = max(at, seen.get(name, at))
        latest = sorted(seen, key=lambda name: seen[name], reverse=True)
        return [
            Worker(name, running[name], relative_time(seen[name], self.now))
            for name in latest[:WORKERS]
        ]

    @cached_property
    def _hours(self) -> Sequence[datetime]:
        """When each hour of the chart began; the last one is not over."""
        current = timezone.localtime(self.now).replace(minute=0, second=0, microsecond=0)
        return [current - timedelta(hours=ago) for ago in reversed(range(HOURS))]

    @cached_property
    def _values(self) -> dict[str, Any]:
        """Every number, as one row."""
        pending = self.tasks.filter(status=Status.PENDING)
        oldest = pending.order_by("created_at", "id")
        values: dict[str, Any] = {
            "stuck": CappedCount(self.tasks.stale(self.now)),
            "oldest_pk": Subquery(oldest.values("pk")[:1]),
            "oldest_created_at": Subquery(oldest.values("created_at")[:1]),
        }
        for status in Status:
            values[status] = CappedCount(self.tasks.filter(status=status))
        for number, start in enumerate(self._hours):
            ended = self.tasks.filter(
                finished_at__gte=start, finished_at__lt=start + timedelta(hours=1)
            )
            for status in ENDS:
                values[f"{status}_{number}"] = CappedCount(ended.filter(status=status), HOUR_CAP)
        rows = self.tasks.order_by("pk").annotate(**{f"n_{key}": values[key] for key in values})
        row = rows.values(*(f"n_{key}" for key in values)).first()
        return {key.removeprefix("n_"): value for key, value in (row or {}).items()}


def _process(worker: str) -> str:
    """The executor calls itself by host, process and attempt."""
    return ":".join(worker.split(":")[:2])
