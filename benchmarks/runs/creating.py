"""How fast are tasks created and purged, and what does each index add to an insert?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Index
from django.test.utils import CaptureQueriesContext, override_settings

from benchmarks import indexes, loading
from benchmarks.client import Client
from benchmarks.markdown import ms, table, us
from benchmarks.rows import EXPIRED, SPREAD, START, Rows
from benchmarks.runs import Options
from benchmarks.sizes import SCRATCH
from benchmarks.timing import BLOCKS, Timing, milliseconds, summary, take_turns
from benchmarks.users import USER
from django_image_tasks.models import Task
from django_image_tasks.sweep import purge

TITLE = "Creating and deleting"
ENGINES = {
    "published to django-tasks-db": "django_image_tasks.engines.django_tasks",
    "published to a queue that takes no time": "benchmarks.noop",
}
BODY = {"type": "import", "input": {"import_from": "http://127.0.0.1/image"}}


def measure(options: Options) -> str:
    rows = options.rows_up_to(100_000)
    loading.make(SCRATCH, rows)
    creates = _creates(rows, options.quick)
    costs = _index_costs(200 if options.quick else 2000, 2 if options.quick else BLOCKS)
    purged = f"A purge deleted {_purge(rows // 10):.0f} tasks a second."
    return "\n\n".join([creates, _index_table(costs), purged])


def _creates(rows: int, quick: bool) -> str:
    creates = {name: _create_through(engine) for name, engine in ENGINES.items()}
    with override_settings(IMAGE_TASKS=dict(settings.IMAGE_TASKS)):
        timings = take_turns(creates, quick=quick, rounds=100)
        lines = [
            [name, ms(timing), f"{1000 / timing.median:.0f}", str(_count_queries(creates[name]))]
            for name, timing in timings.items()
        ]
    header = [f"POST /v2/tasks, {rows:,} tasks there", "each", "tasks a second", "queries"]
    return table(header, lines)


def _create_through(engine: str) -> Callable[[], bytes]:
    post = Client().post("/v2/tasks", json.dumps(BODY).encode(), USER)

    def create() -> bytes:
        settings.IMAGE_TASKS["ENGINE"] = engine
        return post()

    return create


def _count_queries(create: Callable[[], bytes]) -> int:
    with CaptureQueriesContext(connection) as captured:
        create()
    return len(captured)


def _index_costs(inserts: int, blocks: int) -> Mapping[str, Timing]:
    """Measure one INSERT, without its commit, under each index alone, under none and under all."""
    sets: dict[str, Sequence[Index]] = {"no index but the primary key": []}
    sets |= {str(index.name): [index] for index in indexes.declared()}
    sets["all of them"] = indexes.declared()
    costs: dict[str, list[list[float]]] = {name: [] for name in sets}
    for block in range(blocks):
        rows = list(Rows(connection, inserts, start=START + SPREAD, seed=100 + block))
        for name, wanted in sets.items():
            with indexes.only(connection, wanted):
                _insert(rows[: inserts // 10])
                costs[name].append([_insert(rows) / inserts])
    return {name: summary(blocks) for name, blocks in costs.items()}


def _insert(rows: Sequence[tuple[Any, ...]]) -> float:
    statement = loading.insert_statement(Rows(connection, 1))

    def execute() -> None:
        for row in rows:
            cursor.execute(statement, row)

    with transaction.atomic(), connection.cursor() as cursor:
        elapsed = milliseconds(execute)
        transaction.set_rollback(True)
    return elapsed


def _purge(expired: int) -> float:
    """Return how many tasks are deleted in a second, with their attempts."""
    Task.objects.filter(created_at__lt=START + SPREAD / 10).update(expires_at=EXPIRED)
    loading.analyze(connection)
    started = perf_counter()
    purged = purge(limit=expired)
    return purged / (perf_counter() - started)


def _index_table(costs: Mapping[str, Timing]) -> str:
    least = costs["no index but the primary key"].median
    rows = [
        [name, us(cost), f"{1000 / cost.median:.0f}", f"{(cost.median - least) * 1000:+.1f} µs"]
        for name, cost in costs.items()
    ]
    return table(["indexes", "an INSERT, without its commit", "inserts a second", "more"], rows)
