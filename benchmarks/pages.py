"""A page of the list, and the request for it that each of the sides understands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils import timezone

from benchmarks.client import Client
from benchmarks.users import ADMIN, Identity
from django_image_tasks.models import Task

OURS, DRF, NINJA, BARE = "ours", "plain DRF", "django-ninja", "bare view"
LEAST = "least of DRF and ORM"


@dataclass(frozen=True)
class Side:
    path: str
    items: str
    """The key of the response's body that holds the tasks."""
    has_markers: bool


SIDES = {
    OURS: Side("/v2/tasks", "tasks", has_markers=True),
    DRF: Side("/drf/tasks", "results", has_markers=False),
    NINJA: Side("/ninja/tasks", "items", has_markers=False),
    BARE: Side("/bare/tasks", "tasks", has_markers=True),
    LEAST: Side("/least/tasks", "tasks", has_markers=True),
}


@dataclass(frozen=True)
class Page:
    limit: int = 25
    depth: float = 0
    """The share of all tasks that comes before the page, from 0 to 1."""
    filters: Mapping[str, str] = field(default_factory=dict)
    ascending: bool = False
    identity: Identity = ADMIN

    def query(self, has_markers: bool) -> str:
        """Return the query string, with a marker or an offset from the current database."""
        query = {"limit": str(self.limit), **self.filters}
        if self.ascending:
            query["sort_dir"] = "asc"
        if before := self._before():
            query |= {"marker": self._marker(before)} if has_markers else {"offset": str(before)}
        return urlencode(query)

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


def call(client: Client, side: Side, page: Page) -> Callable[[], bytes]:
    return client.get(f"{side.path}?{page.query(side.has_markers)}", page.identity)


def ids(side: Side, body: bytes) -> list[str]:
    return [task["id"] for task in json.loads(body)[side.items]]


def check_alike(calls: Mapping[str, Callable[[], bytes]]) -> None:
    """Raise an error unless all sides show the same tasks: else their times say nothing."""
    answers = {name: ids(SIDES[name], call()) for name, call in calls.items()}
    for name, answer in answers.items():
        if answer != answers[OURS] or not answer:
            raise RuntimeError(f"{name} shows other tasks than we do")
