"""Many clients at once, for minutes: no 5xx, nothing lost, and no memory that grows."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.faults.site import Site

CLIENTS = 32
GROWTH = 8 * 2**20
"""Bytes that a process may take more at the end than when it was warm."""


def crowd(site: Site, seconds: float = 300, warm: float = 60) -> None:
    """32 clients list, show, create and cancel, while the tasks run."""
    site.start_web()
    site.keep_workers()
    answers: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as clients:
        dice = [random.Random(site.random.random()) for _ in range(CLIENTS)]
        visits = [clients.submit(visit, site, die, ends, answers) for die in dice]
        time.sleep(warm)
        early, web = memory(site), site.web_pids()
        for each in visits:
            each.result()
    late = memory(site)
    site.expect("the same processes of gunicorn", site.web_pids() == web)
    site.tried = answers.total()
    site.expect(f"answers {answers}", all(each[-3:] < "500" for each in answers))
    growth = max(late[pid] - early[pid] for pid in early.keys() & late.keys())
    site.expect(f"memory grew by {growth} bytes", growth < GROWTH)
    counted = ", ".join(f"{count} × {each}" for each, count in sorted(answers.items()))
    site.notes.append(f"{counted}; a process grew by {growth / 2**20:.1f} MiB at most")
    site.expect_success(300)


def visit(site: Site, die: random.Random, ends: float, answers: Counter[str]) -> None:
    """Be a client: ask for one thing after the other, mostly for what there is."""
    own: list[str] = []
    while time.monotonic() < ends:
        (what,) = die.choices(("list", "show", "create", "cancel"), (12, 10, 1, 1))
        if not own:
            what = "create"
        try:
            status, document = request(site, what, die.choice(own) if own else "")
        except (OSError, HTTPException) as error:
            answers[f"{what} {type(error).__name__}"] += 1
            continue
        answers[f"{what} {status}"] += 1
        if status == 201:
            own.append(document["id"])
            site.tasks.append(document["id"])
        time.sleep(die.uniform(0, 0.5))


def request(site: Site, what: str, task_id: str) -> tuple[int, Any]:
    match what:
        case "list":
            return site.ask("GET", "?limit=20")
        case "show":
            return site.ask("GET", f"/{task_id}")
        case "create":
            return site.ask("POST", "", {"type": "planned", "input": {"seconds": []}})
    site.cancelled.add(task_id)
    return site.ask("POST", f"/{task_id}/actions/cancel")


def memory(site: Site) -> dict[int, int]:
    """The resident bytes of each process of web and workers."""
    pids = {pid for process in site.project.processes for pid in process.pids()}
    sizes = {}
    for pid in pids:
        with suppress(OSError):  # it has just ended
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            sizes[pid] = pages * os.sysconf("SC_PAGE_SIZE")
    return sizes
