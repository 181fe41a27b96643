"""How fast are tasks created and purged, and what does each index add to an insert?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Index
from django.test.utils import CaptureQueriesContext, override_settings

from benchmarks import indexes, loading, posting
from benchmarks.client import Client
from benchmarks.markdown import judged, ms, table, us
from benchmarks.place import PROJECT
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
GOAL = 1.5
"""So many tasks more are to be created than in the older checkout."""


def measure(options: Options) -> str:
    rows = options.rows_up_to(100_000)
    loading.make(SCRATCH, rows)
    tables = [_creates(rows, options.quick)]
    if options.before:
        tables.append(_beside(options.before, rows, options.quick))
    costs = _index_costs(200 if options.quick else 2000, 2 if options.quick else BLOCKS)
    purged = f"A purge deleted {_purge():.0f} tasks a second."
    return "\n\n".join([*tables, _index_table(costs), purged])


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
    post = Client().post("/v2/tasks", json.dumps(posting.BODY).encode(), USER)

    def create() -> bytes:
        settings.IMAGE_TASKS["ENGINE"] = engine
        return post()

    return create


def _beside(checkout: Path, rows: int, quick: bool) -> str:
    """Two processes make tasks in turns, one of them as an older version does."""
    with ExitStack() as processes:
        sides = {
            name: processes.enter_context(_posting(path.resolve(), f"rows_{rows + number}", rows))
            for number, (name, path) in enumerate({"now": PROJECT, "before": checkout}.items(), 1)
        }
        timings = take_turns(sides, quick=quick, rounds=100)
    now, before = timings["now"], timings["before"]
    goal, measured = judged(before, now, least=GOAL)
    header = ["POST /v2/tasks, in two processes", "now", f"in {checkout.name}", f"÷ now ({goal})"]
    return table(header, [["each", ms(now), ms(before), measured]])


@contextmanager
def _posting(checkout: Path, alias: str, rows: int) -> Iterator[Callable[[], float]]:
    variables = {"PYTHONPATH": str(checkout), "BENCHMARK_ROWS": alias.removeprefix("rows_")}
    variables = os.environ | variables | {"BENCHMARK_ALIAS": alias}
    command, pipe = [sys.executable, "-P", posting.__file__, alias, str(rows)], subprocess.PIPE
    process: Any = subprocess.Popen(
        command, cwd=checkout, env=variables, stdin=pipe, stdout=pipe, text=True
    )

    def post() -> float:
        print(file=process.stdin, flush=True)
        return float(process.stdout.readline())

    with process:
        process.stdout.readline()  # how long it took to make the rows
        yield post


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


def _purge() -> float:
    """Return how many tasks are deleted in a second, with their attempts."""
    Task.objects.filter(created_at__lt=START + SPREAD / 10).update(expires_at=EXPIRED)
    loading.analyze(connection)
    started = perf_counter()
    return purge() / (perf_counter() - started)


def _index_table(costs: Mapping[str, Timing]) -> str:
    least = costs["no index but the primary key"].median
    rows = [
        [name, us(cost), f"{1000 / cost.median:.0f}", f"{(cost.median - least) * 1000:+.1f} µs"]
        for name, cost in costs.items()
    ]
    return table(["indexes", "an INSERT, without its commit", "inserts a second", "more"], rows)
