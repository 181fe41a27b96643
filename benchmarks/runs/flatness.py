"""A page should take the same time whatever the size of the table: does it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import F, Q

from benchmarks import loading
from benchmarks.client import Client
from benchmarks.markdown import ms, table
from benchmarks.pages import OURS, SIDES, Page, ids
from benchmarks.rows import EXPIRED, KEPT, SPREAD, START
from benchmarks.runs import Options
from benchmarks.sizes import alias_of, using
from benchmarks.timing import Timing, take_turns
from benchmarks.users import MEASURED_OWNER
from django_image_tasks.models import Task

TITLE = "The list at every size of the table"
GOAL = 1.3
FILTERS = {
    "": {},
    ", status": {"status": "success"},
    ", owner": {"owner": str(MEASURED_OWNER)},
    ", status and owner": {"status": "success", "owner": str(MEASURED_OWNER)},
}
SHAPES = {
    f"{place}{filters}, {direction}": Page(
        depth=depth, filters=FILTERS[filters], ascending=direction == "asc"
    )
    for (place, depth), filters, direction in product(
        [("first page", 0), ("after 95 %", 0.95)], FILTERS, ["desc", "asc"]
    )
}
BACKLOGS = {
    "none expired": Q(pk=None),
    "a tenth expired, here and there": Q(pk__lt=UUID(int=2**128 // 9), finished_at__isnull=False),
    "the oldest tenth expired": Q(created_at__lt=START + SPREAD / 10),
}


def measure(options: Options) -> str:
    client, tables = Client(), []
    for name, expired in BACKLOGS.items():
        with _backlog(options.rows, expired):
            timings = {
                shape: take_turns(_calls(client, page, options.rows), quick=options.quick)
                for shape, page in SHAPES.items()
            }
        tables.append(_table(name, timings, options.rows))
    return "\n\n".join(tables)


def _calls(client: Client, page: Page, sizes: tuple[int, ...]) -> dict[str, Callable[[], bytes]]:
    calls = {str(rows): _call_in(alias_of(rows), client, page) for rows in sizes}
    for rows, make_call in calls.items():
        if len(ids(SIDES[OURS], make_call())) != page.limit:
            raise RuntimeError(f"No whole page of {page} among {rows} rows")
    return calls


def _call_in(alias: str, client: Client, page: Page) -> Callable[[], bytes]:
    with using(alias):
        made = client.get(page.path(SIDES[OURS]), page.identity)

    def make_call() -> bytes:
        with using(alias):
            return made()

    return make_call


@contextmanager
def _backlog(sizes: tuple[int, ...], expired: Q) -> Iterator[None]:
    """Within the context these tasks are expired and nobody has purged them."""
    for rows in sizes:
        _update(alias_of(rows), expired, EXPIRED)
    try:
        yield
    finally:
        for rows in sizes:
            _update(alias_of(rows), Q(expires_at=EXPIRED), F("finished_at") + KEPT)


def _update(alias: str, which: Q, expires_at: Any) -> None:
    if Task.objects.using(alias).filter(which).update(expires_at=expires_at):
        loading.analyze(connections[alias])


def _table(name: str, shapes: dict[str, dict[str, Timing]], sizes: tuple[int, ...]) -> str:
    rows = [
        [shape, *(ms(timings[str(size)]) for size in sizes), _verdict(_spread(timings))]
        for shape, timings in shapes.items()
    ]
    worst = _verdict(max(map(_spread, shapes.values())))
    header = [name, *(f"{size:,} tasks" for size in sizes), f"slowest ÷ fastest (goal {GOAL})"]
    return table(header, [*rows, ["the worst of them", *[""] * len(sizes), worst]])


def _spread(timings: dict[str, Timing]) -> float:
    medians = [timing.median for timing in timings.values()]
    return max(medians) / min(medians)


def _verdict(spread: float) -> str:
    return f"{spread:.2f}" if spread <= GOAL else f"**{spread:.2f}**"
