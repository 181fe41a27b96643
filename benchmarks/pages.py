"""A page of the list, and how each of the sides is asked for it."""

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
    """The key of the body that the tasks stand under."""
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
    """Which part of the tasks stands before it."""
    filters: Mapping[str, str] = field(default_factory=dict)
    ascending: bool = False
    identity: Identity = ADMIN

    def query(self, has_markers: bool) -> str:
        """For the current database."""
        query = {"limit": str(self.limit), **self.filters}
        if self.ascending:
            query["sort_dir"] = "asc"
        if before := self._before():
            query |= {"marker": self._marker(before)} if has_markers else {"offset": str(before)}
        return urlencode(query)

    def _before(self) -> int:
        """How many tasks to skip, and yet leave a whole page with a next one."""
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
    """Whoever is faster because it answers something else has not won."""
    answers = {name: ids(SIDES[name], call()) for name, call in calls.items()}
    for name, answer in answers.items():
        if answer != answers[OURS] or not answer:
            raise RuntimeError(f"{name} shows other tasks than we do")
