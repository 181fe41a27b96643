"""An import from this machine to local storage is measured beside ``curl | sha512sum``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from django.conf import settings

from benchmarks import loading
from benchmarks.markdown import mib, table, times
from benchmarks.origin import image, origin
from benchmarks.place import PROJECT
from benchmarks.processes import environment
from benchmarks.runs import Options
from benchmarks.sizes import SCRATCH
from benchmarks.timing import BLOCKS, Timing, summary
from benchmarks.users import MEASURED_OWNER
from django_image_tasks.models import Task

TITLE = "An import"
GOAL_TIME, GOAL_MEMORY = 1.3, 64 * 2**20
SMALL = 2**20


def measure(options: Options) -> str:
    """The sides take turns, and must come to the same digest."""
    loading.make(SCRATCH, 1000)
    size = 2**26 if options.quick else 2**30
    smalls, larges, curls = [], [], []
    with origin() as root:
        urls = [f"{root}/{image(each).name}" for each in (SMALL, size)]
        for _ in range(3 if options.quick else BLOCKS):
            seconds, digest = _curl(urls[1])
            curls.append([seconds * 1000])
            small, large = _import(urls, digest)
            smalls.append(small["memory"])
            larges.append(large)
    ours = summary([[large["seconds"] * 1000] for large in larges])
    memory = (
        f"Memory above the idle process: at most {mib(max(large['memory'] for large in larges))} "
        f"(goal {mib(GOAL_MEMORY)}); for an image of {mib(SMALL)}, {mib(max(smalls))}."
    )
    return f"{_table(size, ours, summary(curls))}\n\n{memory}"


def _curl(url: str) -> tuple[float, str]:
    started = perf_counter()
    with subprocess.Popen(["curl", "--silent", "--fail", url], stdout=subprocess.PIPE) as curl:
        done = subprocess.run(["sha512sum"], stdin=curl.stdout, capture_output=True, check=True)
    return perf_counter() - started, done.stdout.decode().split()[0]


def _import(urls: list[str], digest: str) -> list[dict[str, float]]:
    """One worker imports them all. The digest is the one that the last image must have."""
    tasks = [_task(url) for url in urls]
    command = [sys.executable, "-m", "benchmarks.importer", *(str(task.pk) for task in tasks)]
    output = subprocess.check_output(command, cwd=PROJECT, env=environment())
    results = [_result(task) for task in tasks]
    if results[-1]["os_hash_value"] != digest:
        raise RuntimeError("The import did not store what curl fetched")
    for result in results:
        Path(settings.MEDIA_ROOT, result["location"]).unlink()
    reports: list[dict[str, float]] = json.loads(output)
    return reports


def _result(task: Task) -> Any:
    task.refresh_from_db()
    if task.result is None:
        raise RuntimeError(task.message)
    return task.result


def _task(url: str) -> Task:
    return Task.objects.create(type="import", owner=str(MEASURED_OWNER), input={"import_from": url})


def _table(size: int, ours: Timing, curl: Timing) -> str:
    header = [
        f"{mib(size)} from loopback",
        "seconds",
        "MiB a second",
        f"times curl's time (goal {GOAL_TIME})",
    ]
    rows = [
        ["curl \\| sha512sum", *_speed(size, curl), ""],
        ["ours", *_speed(size, ours), times(ours, curl)],
    ]
    return table(header, rows)


def _speed(size: int, timing: Timing) -> list[str]:
    seconds = timing.median / 1000
    return [f"{seconds:.2f}", f"{size / 2**20 / seconds:.0f}"]
