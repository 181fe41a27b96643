"""Real servers are asked for the list, on PostgreSQL with Django's connection pool."""

from __future__ import annotations

import sys
from itertools import product
from statistics import median
from typing import NamedTuple

from benchmarks.markdown import mib, table
from benchmarks.pages import BARE, DRF, OURS, SIDES
from benchmarks.processes import HOST, free_port, resident, serving
from benchmarks.runs import Options
from benchmarks.sizes import alias_of
from benchmarks.wrk import Load, load

TITLE = "Behind a real server"
WORKERS, THREADS = 2, 8
CONNECTIONS = [1, 8, 32]
ROWS = 100_000
ROUNDS = 3
GOALS = {DRF: 6, BARE: 0.75}
"""So many times the requests of these sides we want to answer in a second."""
SERVERS = {
    "gunicorn": [
        "-m", "gunicorn", "--worker-class=gthread", f"--workers={WORKERS}",
        f"--threads={THREADS}", "--bind={host}:{port}", "--no-control-socket", "benchmarks.wsgi",
    ],
    "granian": [
        "-m", "granian", "--interface=wsgi", f"--workers={WORKERS}", "--host={host}",
        f"--blocking-threads={THREADS}", "--port={port}", "benchmarks.wsgi:application",
    ],
}  # fmt: skip


Loads = dict[tuple[int, str], list[Load]]
"""One load for each round, by the number of connections and the side."""


class Served(NamedTuple):
    loads: Loads
    memory: list[tuple[int, int]]
    """The requests so far, and the bytes of memory that the workers have after them."""


def measure(options: Options) -> str | None:
    """Return nothing on the other databases: Django has no pool for them."""
    if options.database != "postgresql":
        return None
    rows = options.rows_up_to(ROWS)
    servers = {name: _measure(name, rows, options.quick) for name in SERVERS}
    text = "Requests per second (least–most of a round); median and 99th percentile of the latency."
    return "\n\n".join([text, _load_table(rows, servers), _memory_table(servers)])


def _measure(name: str, rows: int, quick: bool) -> Served:
    port = free_port()
    command = [part.format(host=HOST, port=port) for part in SERVERS[name]]
    variables = {"BENCHMARK_ALIAS": alias_of(rows), "BENCHMARK_POOL": str(THREADS)}
    with serving([sys.executable, *command], port, variables) as process:
        urls = {side: f"http://{HOST}:{port}{SIDES[side].path}?limit=25" for side in SIDES}
        return Served(
            _loads(urls, seconds=1 if quick else 5, rounds=1 if quick else ROUNDS),
            _memory(process.pid, urls[OURS], 2000 if quick else 100_000),
        )


def _loads(urls: dict[str, str], seconds: int, rounds: int) -> Loads:
    """The sides take turns, after each has warmed up for a second."""
    loads: Loads = {key: [] for key in product(CONNECTIONS, urls)}
    for side in urls:
        load(urls[side], connections=8, seconds=1)
    for _, (connections, side) in product(range(rounds), loads):
        loads[connections, side].append(load(urls[side], connections, seconds))
    return loads


def _memory(pid: int, url: str, requests: int) -> list[tuple[int, int]]:
    done, samples = 0, [(0, resident(pid))]
    while done < requests:
        done += load(url, connections=8, seconds=5).requests
        samples.append((done, resident(pid)))
    return samples


def _load_table(size: int, servers: dict[str, Served]) -> str:
    rows = [
        [
            name,
            str(connections),
            *(_cell(served.loads[connections, side]) for side in SIDES),
            *(_times(served.loads, connections, side) for side in GOALS),
        ]
        for name, served in servers.items()
        for connections in CONNECTIONS
    ]
    goals = [f"ours ÷ {side} (goal {goal})" for side, goal in GOALS.items()]
    return table([f"25 of {size:,} tasks", "connections", *SIDES, *goals], rows)


def _times(loads: Loads, connections: int, side: str) -> str:
    ours, other = (
        median(load.per_second for load in loads[connections, name]) for name in (OURS, side)
    )
    text = f"{ours / other:.3g}"
    return text if ours / other >= GOALS[side] else f"**{text}**"


def _cell(loads: list[Load]) -> str:
    _, per_second, p50, p99 = zip(*loads, strict=True)
    rate = f"{median(per_second):.0f}/s ({min(per_second):.0f}–{max(per_second):.0f})"
    return f"{rate}; {median(p50):.3g} ms, {median(p99):.3g} ms"


def _memory_table(servers: dict[str, Served]) -> str:
    """Show the memory at the start and after about a tenth, a half and all of the requests."""
    rows = []
    for name, served in servers.items():
        [last, _] = served.memory[-1]
        shown = [
            next(each for each in served.memory if each[0] >= last * part)
            for part in (0, 0.1, 0.5, 1)
        ]
        rows.append([name, *(f"{mib(size)} after {done:,}" for done, size in shown)])
    return table(["memory of all workers", "at first", "", "", "in the end"], rows)
