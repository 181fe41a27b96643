"""A thousand clients wait, each for a task of its own, at one process of uvicorn's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from django.db import connection, connections

from benchmarks import loading
from benchmarks.client import get
from benchmarks.markdown import mib, table
from benchmarks.processes import HOST, free_port, memory, serving
from benchmarks.runs import Options
from benchmarks.sizes import SCRATCH
from benchmarks.users import USER
from django_image_tasks.bulk import cancel_tasks
from django_image_tasks.models import Task

TITLE = "Waiting for the end of a task"
WAITERS = 1000
ALONE = 50
"""So many of the tasks end one after the other, and then the others at once."""
SECONDS = 10
BLOCK = 40
"""Requests in a block. The median of the quietest counts, for the machine may be busy."""
SETTLED = 15
"""Seconds after which an idle connection has told PostgreSQL of its last transactions."""
SERVER = (
    "-m uvicorn --no-access-log --log-level=warning --host={} --port={} benchmarks.asgi:application"
)


def measure(options: Options) -> str:
    loading.make(SCRATCH, options.rows[0])
    tasks = [Task(type="noop", owner=str(USER.pk), input={}) for _ in range(WAITERS)]
    Task.objects.bulk_create(tasks)
    port = free_port()
    # Under ASGI a thread, and the connection that it would keep, ends with its request.
    pool = {"BENCHMARK_POOL": "8"} if options.database == "postgresql" else {}
    with serving([sys.executable, *SERVER.format(HOST, port).split()], port, pool) as process:
        return asyncio.run(_measure(port, process.pid, tasks, 40 if options.quick else 400))


async def _measure(port: int, pid: int, tasks: Sequence[Task], gets: int) -> str:
    paths = [f"/v2/tasks/{task.pk}" for task in tasks]
    before = await _state(port, pid, paths, gets)
    waiters = []
    for path in paths:
        waiters.append(asyncio.ensure_future(_get(port, path, wait=600)))
        await asyncio.sleep(0.01)
    await asyncio.sleep(5)
    meanwhile = await _state(port, pid, paths, gets)
    noticed = [await _noticed(tasks[n : n + 1], waiters[n : n + 1]) for n in range(ALONE)]
    at_once = await _noticed(tasks[ALONE:], waiters[ALONE:])
    measures = [
        "memory of the process",
        "its threads",
        "transactions a second",
        "a `GET` of a task",
    ]
    return "\n\n".join(
        [
            f"The answer came {median(noticed):.2f} s after the commit (median of {ALONE}; at most "
            f"{max(noticed):.2f} s). {WAITERS - ALONE} tasks that ended at once were all told of "
            f"within {at_once:.1f} s.",
            table(
                ["", "nobody waits", f"{WAITERS:,} wait"],
                zip(measures, before, meanwhile, strict=True),
            ),
        ]
    )


async def _state(port: int, pid: int, paths: Sequence[str], gets: int) -> list[str]:
    """What the process takes, what it asks of the database, and how fast it answers."""
    times = []
    for path in paths[:gets]:
        started = perf_counter()
        await _get(port, path)
        times.append(1000 * (perf_counter() - started))
    await asyncio.sleep(SETTLED)
    begun = await asyncio.to_thread(_transactions)
    await asyncio.sleep(SECONDS)
    # Of PostgreSQL alone: the question after the number is one, too.
    counted = await asyncio.to_thread(_transactions) - begun - 1
    rate = f"{counted / SECONDS:.1f}" if begun else "not counted"
    status = Path(f"/proc/{pid}/status").read_text()
    threads = status.partition("Threads:\t")[2].partition("\n")[0]
    blocks = [median(times[start : start + BLOCK]) for start in range(0, gets, BLOCK)]
    return [mib(memory(pid, "VmRSS")), threads, rate, f"{min(blocks):.2f} ms"]


async def _noticed(tasks: Sequence[Task], waiters: Sequence[asyncio.Future[None]]) -> float:
    """Seconds from the commit of these ends to the last answer."""
    await asyncio.sleep(0.37)  # so that the commits are spread over the time between two looks
    await asyncio.to_thread(_end, tasks)
    committed = perf_counter()
    await asyncio.gather(*waiters)
    return perf_counter() - committed


def _end(tasks: Sequence[Task]) -> None:
    for _ in cancel_tasks([task.pk for task in tasks], "benchmark"):
        pass
    connections.close_all()


def _transactions() -> int:
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


async def _get(port: int, path: str, wait: int = 0) -> None:
    asked = {"Prefer": f"wait={wait}"} if wait else {}
    answer = await get(port, path, X_Auth_Token=USER.token, **asked)
    if answer.status != 200 or (wait and '"failure"' not in answer.body):
        raise SystemExit(f"{path} was answered with {answer}")
