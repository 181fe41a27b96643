from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests import faults as package  # noqa: E402
from tests.faults.faults import DATABASES, FAULTS, Tried, attempt  # noqa: E402

HEAD = """| fault | engine | database | times | tasks | lost | seconds | |
|---|---|---|--:|--:|--:|--:|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=package.__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--minutes", type=float, default=600, help="begin nothing after these")
    parser.add_argument("--only", nargs="*", default=[*FAULTS], metavar="fault or engine")
    parser.add_argument("--logs", help="a directory; a new one if there is none")
    options = parser.parse_args()
    logs = Path(options.logs or tempfile.mkdtemp(prefix="faults-"))
    until = time.monotonic() + 60 * options.minutes
    print(f"Seed {options.seed}, {date.today()}, {machine()}.\n\n{HEAD}", flush=True)
    for number, (name, engine, database) in enumerate(chosen(options.only)):
        if time.monotonic() < until:
            place = logs / f"{number}-{name}-{engine}"
            place.mkdir(parents=True)
            print(row(attempt(name, engine, database, place, options.seed)), flush=True)


def chosen(only: list[str]) -> Iterator[tuple[str, str, str]]:
    names, engines = {*only} & {*FAULTS} or {*FAULTS}, {*only} - {*FAULTS}
    for name, fault in FAULTS.items():
        for engine in fault.engines:
            for database in fault.databases_of(engine):
                if name in names and (not engines or engine in engines):
                    yield name, engine, database


def row(tried: Tried) -> str:
    note = "; ".join([*tried.lost, *tried.notes])
    cells = (
        tried.fault,
        tried.engine,
        DATABASES[tried.database],
        tried.times,
        tried.tasks,
        len(tried.lost),
    )
    return "| " + " | ".join(map(str, cells)) + f" | {tried.seconds:.0f} | {note} |"


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB"


if __name__ == "__main__":
    main()
