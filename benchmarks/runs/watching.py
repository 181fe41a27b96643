"""Two hundred browsers leave the admin's list open while five of its tasks move."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import unescape
from pathlib import Path
from random import uniform
from statistics import median, quantiles
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

from django.db import connections
from django.db.models import F

from benchmarks import loading
from benchmarks.markdown import table
from benchmarks.processes import HOST, free_port, serving
from benchmarks.runs import Options
from benchmarks.runs.admin import LIST, session_of_operator
from benchmarks.sizes import SCRATCH
from django_image_tasks.models import Task

TITLE = "Open pages"
PAGES, MOVING = 200, 5
OPENED = 40
"""Seconds within which all the pages are opened."""
SETTLED = 40
"""Seconds after which each page has asked for all that it does not show at first."""
# As live.js has them, in seconds.
EVERY, RARELY, SLOWEST, SHARE, REST = 6, 30, 60, 100, 15
SERVER = "-m gunicorn --workers=2 --bind={}:{} --no-control-socket benchmarks.wsgi"


class Answer(NamedTuple):
    status: int
    tag: str
    body: str
    seconds: float


def measure(options: Options) -> str:
    loading.make(SCRATCH, options.rows[0])
    newest = Task.objects.filter(status="processing").order_by("-created_at")
    Task.objects.exclude(pk__in=newest.values("pk")[:MOVING]).filter(status="processing").delete()
    cookie = session_of_operator().headers["Cookie"]
    port = free_port()
    with serving([sys.executable, *SERVER.format(HOST, port).split()], port, {}) as process:
        seconds = 60 if options.quick else 300
        return asyncio.run(_measure(port, process.pid, cookie, seconds))


async def _measure(port: int, pid: int, cookie: str, seconds: int) -> str:
    answers: list[Answer] = []

    async def get(path: str, headers: Mapping[str, str]) -> Answer:
        answers.append(await _get(port, path, {"Cookie": cookie, **headers}))
        return answers[-1]

    pages = [asyncio.create_task(_look(get, uniform(0, OPENED))) for _ in range(PAGES)]
    mover = asyncio.create_task(_move())
    await asyncio.sleep(OPENED + SETTLED)
    answers.clear()
    begun = _processor_time(pid)
    await asyncio.sleep(seconds)
    busy = (_processor_time(pid) - begun) / seconds
    for task in (*pages, mover):
        if task.done():
            task.result()
        task.cancel()
    times = [1000 * answer.seconds for answer in answers]
    unchanged = sum(answer.status == 304 for answer in answers) / len(answers)
    return table(
        [f"{PAGES} pages, {MOVING} tasks that move", f"within {seconds} s"],
        [
            ["requests a second", f"{len(times) / seconds:.1f}"],
            ["answers that nothing has changed", f"{unchanged:.0%}"],
            ["processor of gunicorn's two workers", f"{busy:.0%} of a core"],
            ["latency, median", f"{median(times):.0f} ms"],
            ["latency, 99th percentile", f"{quantiles(times, n=100)[98]:.0f} ms"],
        ],
    )


async def _look(get: Callable[..., Awaitable[Answer]], later: float) -> None:
    """One page, from its opening on. It asks when live.js does."""
    await asyncio.sleep(later)
    page = (await get(f"/admin/{LIST}", {})).body
    whole = unescape(re.findall('data-live-url="([^"]*)"', page)[0])
    ids = re.findall('data-task="([^"]*)"', page)
    tags, wait, whole_at = {True: "", False: ""}, float(EVERY), -float(RARELY)
    while True:
        now = perf_counter()
        is_whole = not ids or now - whole_at >= RARELY
        whole_at = now if is_whole else whole_at
        url = urlsplit(whole)
        query = "&".join(filter(None, [url.query if is_whole else "", f"ids={','.join(ids)}"]))
        headers = {"If-None-Match": tags[is_whole]} if tags[is_whole] else {}
        answer = await get(f"{url.path}?{query}", headers)
        wait = wait * 1.5 if answer.status == 304 else EVERY
        tags[is_whole] = answer.tag
        wait = min(SLOWEST, max(wait, min(REST, SHARE * answer.seconds)))
        await asyncio.sleep(wait * uniform(0.9, 1.1))


async def _move() -> None:
    """Write some progress of the tasks that move, every two seconds as an import does."""
    while True:
        await asyncio.to_thread(_write_progress)
        await asyncio.sleep(2)


def _write_progress() -> None:
    Task.objects.filter(status="processing").update(bytes_done=F("bytes_done") + 2**20)
    connections.close_all()


async def _get(port: int, path: str, headers: Mapping[str, str]) -> Answer:
    started = perf_counter()
    reader, writer = await asyncio.open_connection(HOST, port)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", "Connection: close", *lines]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    status = int(head.split()[1])
    if status not in (200, 304):
        raise SystemExit(f"{path} was answered with {head}")
    found = re.search("^ETag: (.*)\r?$", head, re.MULTILINE)
    return Answer(status, found[1].strip() if found else "", body, perf_counter() - started)


def _processor_time(pid: int) -> float:
    """Seconds that all processes that this one started have been on a processor."""
    return sum(map(_seconds_of, _children(pid)))


def _children(pid: int) -> Sequence[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _seconds_of(pid: str) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
