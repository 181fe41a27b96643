"""Requests per second through real servers, on PostgreSQL with Django's connection pool."""

from __future__ import annotations

import sys
from itertools import product
from statistics import median
from typing import Any

from benchmarks.markdown import mib, table
from benchmarks.pages import OURS, SIDES
from benchmarks.processes import HOST, free_port, resident, serving
from benchmarks.runs import Options
from benchmarks.sizes import alias_of
from benchmarks.wrk import Load, load

TITLE = "Behind a real server"
WORKERS, THREADS = 2, 8
CONNECTIONS = [1, 8, 32]
ROWS = 100_000
ROUNDS = 3
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


def measure(options: Options) -> dict[str, Any] | None:
    """``None`` on the other databases: there is no pool for them."""
    if options.database != "postgresql":
        return None
    rows = options.rows_up_to(ROWS)
    return {
        "rows": rows,
        "servers": {name: _measure(name, rows, options.quick) for name in SERVERS},
    }


def _measure(name: str, rows: int, quick: bool) -> dict[str, Any]:
    port = free_port()
    command = [part.format(host=HOST, port=port) for part in SERVERS[name]]
    variables = {"BENCHMARK_ALIAS": alias_of(rows), "BENCHMARK_POOL": str(THREADS)}
    with serving([sys.executable, *command], port, variables) as process:
        urls = {side: f"http://{HOST}:{port}{SIDES[side].path}?limit=25" for side in SIDES}
        return {
            "loads": _loads(urls, seconds=1 if quick else 5, rounds=1 if quick else ROUNDS),
            "memory": _memory(process.pid, urls[OURS], 2000 if quick else 100_000),
        }


def _loads(urls: dict[str, str], seconds: int, rounds: int) -> dict[str, dict[str, list[Load]]]:
    """Connections → side → one load for each round; the sides take turns."""
    loads: dict[str, dict[str, list[Load]]] = {
        str(connections): {side: [] for side in urls} for connections in CONNECTIONS
    }
    for side in urls:
        load(urls[side], connections=8, seconds=1)
    for _, connections, side in product(range(rounds), CONNECTIONS, urls):
        loads[str(connections)][side].append(load(urls[side], connections, seconds))
    return loads


def _memory(pid: int, url: str, requests: int) -> list[list[int]]:
    """Requests so far, and the workers' bytes of memory after them."""
    done, samples = 0, [[0, resident(pid)]]
    while done < requests:
        done += load(url, connections=8, seconds=5).requests
        samples.append([done, resident(pid)])
    return samples


def tables(data: dict[str, Any]) -> str:
    header = [f"25 of {data['rows']:,} tasks", "connections", *SIDES]
    rows = [
        [server, connections, *(_cell(sides[side]) for side in SIDES)]
        for server, measured in data["servers"].items()
        for connections, sides in measured["loads"].items()
    ]
    text = "Requests per second (least–most of a round); median and 99th percentile of the latency."
    return "\n\n".join([text, table(header, rows), _memory_table(data["servers"])])


def _cell(loads: list[Any]) -> str:
    per_second, p50, p99 = zip(*(load[1:] for load in loads), strict=True)
    rate = f"{median(per_second):.0f}/s ({min(per_second):.0f}–{max(per_second):.0f})"
    return f"{rate}; {median(p50):.3g} ms, {median(p99):.3g} ms"


def _memory_table(servers: dict[str, Any]) -> str:
    """At the start, after about a tenth, a half and all of the requests."""
    rows = []
    for server, measured in servers.items():
        samples = measured["memory"]
        last = samples[-1][0]
        shown = [
            next(each for each in samples if each[0] >= last * part) for part in (0, 0.1, 0.5, 1)
        ]
        rows.append([server, *(f"{mib(size)} after {done:,}" for done, size in shown)])
    return table(["memory of all workers", "at first", "", "", "in the end"], rows)
