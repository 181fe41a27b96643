"""What the sides are asked for: a page of the list, or one task."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils import timezone

from benchmarks.client import Client
from benchmarks.users import ADMIN, MEASURED_OWNER, Identity
from django_image_tasks.models import Task

OURS, DRF, NINJA, BARE = "ours", "plain DRF", "django-ninja", "bare view"
LEAST = "least of DRF"


@dataclass(frozen=True)
class Side:
    path: str
    items: str
    """The key of the response's body that holds the tasks."""
    is_peer: bool = False
    """Whether it is made with a framework alone: it skips to a page, and shows no single task."""


SIDES = {
    OURS: Side("/v2/tasks", "tasks"),
    DRF: Side("/drf/tasks", "results", is_peer=True),
    NINJA: Side("/ninja/tasks", "items", is_peer=True),
    BARE: Side("/bare/tasks", "tasks"),
    LEAST: Side("/least/tasks", "tasks"),
}


@dataclass(frozen=True)
class Page:
    limit: int = 25
    depth: float = 0
    """The share of all tasks that comes before the page, from 0 to 1."""
    filters: Mapping[str, str] = field(default_factory=dict)
    ascending: bool = False
    identity: Identity = ADMIN

    def path(self, side: Side) -> str:
        """The path and query, with a marker or an offset from the current database."""
        query = {"limit": str(self.limit), **self.filters}
        if self.ascending:
            query["sort_dir"] = "asc"
        if before := self._before():
            query |= {"offset": str(before)} if side.is_peer else {"marker": self._marker(before)}
        return f"{side.path}?{urlencode(query)}"

    def _before(self) -> int:
        """Return how many tasks to skip, so that a whole page and a next one are left."""
        if not self.depth:
            return 0
        count = self._tasks().count()
        return min(int(count * self.depth), count - self.limit - 1)

    def _marker(self, before: int) -> str:
        direction = "" if self.ascending else "-"
        ordered = self._tasks().order_by(f"{direction}created_at", f"{direction}id")
        return str(ordered.values_list("pk", flat=True)[before - 1])

    def _tasks(self) -> QuerySet[Task]:
        return Task.objects.unexpired(timezone.now()).filter(**self.filters)


@dataclass(frozen=True)
class OneTask:
    identity: Identity = ADMIN

    def path(self, side: Side) -> str:
        ended = Task.objects.filter(owner=MEASURED_OWNER, status="success").order_by("created_at")
        return "" if side.is_peer else f"{side.path}/{ended.values_list('pk', flat=True)[9]}"


def calls_of(client: Client, page: Page | OneTask) -> dict[str, Callable[[], bytes]]:
    """A call for each side that knows such an answer. They show the same tasks: else their times
    say nothing.
    """
    paths = {name: page.path(side) for name, side in SIDES.items()}
    calls = {name: client.get(path, page.identity) for name, path in paths.items() if path}
    answers = {name: ids(SIDES[name], call()) for name, call in calls.items()}
    for name, answer in answers.items():
        if answer != answers[OURS] or not answer:
            raise RuntimeError(f"{name} shows other tasks than we do")
    return calls


def ids(side: Side, body: bytes) -> list[str]:
    answer = json.loads(body)
    return [task["id"] for task in answer.get(side.items, [answer])]
