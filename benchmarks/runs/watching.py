"""Two hundred browsers leave the admin's list open while five of its tasks move."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from html import unescape
from pathlib import Path
from random import uniform
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit

from django.db import connections
from django.db.models import F

from benchmarks import loading
from benchmarks.client import Answer, get
from benchmarks.markdown import table
from benchmarks.processes import HOST, children, free_port, serving
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


def measure(options: Options) -> str:
    loading.make(SCRATCH, options.rows[0])
    running = Task.objects.filter(status="processing")
    moving = list(running.order_by("-created_at").values_list("pk", flat=True)[:MOVING])
    running.exclude(pk__in=moving).delete()
    cookie = session_of_operator().headers["Cookie"]
    port = free_port()
    with serving([sys.executable, *SERVER.format(HOST, port).split()], port, {}) as process:
        seconds = 60 if options.quick else 300
        return asyncio.run(_measure(port, process.pid, cookie, seconds))


async def _measure(port: int, pid: int, cookie: str, seconds: int) -> str:
    answers: list[Answer] = []

    async def ask(path: str, **headers: str) -> Answer:
        answer = await get(port, path, Cookie=cookie, **headers)
        if answer.status not in (200, 304):
            raise SystemExit(f"{path} was answered with {answer}")
        answers.append(answer)
        return answer

    pages = [asyncio.create_task(_look(ask, uniform(0, OPENED))) for _ in range(PAGES)]
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


async def _look(ask: Callable[..., Awaitable[Answer]], later: float) -> None:
    """One page, from its opening on. It asks when live.js does."""
    await asyncio.sleep(later)
    page = (await ask(f"/admin/{LIST}")).body
    whole = unescape(re.findall('data-live-url="([^"]*)"', page)[0])
    ids = re.findall('data-task="([^"]*)"', page)
    tags, wait, whole_at = {True: "", False: ""}, float(EVERY), -float(RARELY)
    while True:
        now = perf_counter()
        is_whole = not ids or now - whole_at >= RARELY
        whole_at = now if is_whole else whole_at
        url = urlsplit(whole)
        query = "&".join(filter(None, [url.query if is_whole else "", f"ids={','.join(ids)}"]))
        known = {"If_None_Match": tags[is_whole]} if tags[is_whole] else {}
        answer = await ask(f"{url.path}?{query}", **known)
        wait = wait * 1.5 if answer.status == 304 else EVERY
        tags[is_whole] = answer.headers["etag"]
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


def _processor_time(pid: int) -> float:
    """Seconds that all processes that this one started have been on a processor."""
    return sum(map(_seconds_of, children(pid)))


def _seconds_of(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
