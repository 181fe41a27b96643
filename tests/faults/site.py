"""A project whose workers are hurt, and what is counted of its tasks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.engines import actions
from tests.engines.brokers import ENGINES
from tests.engines.project import Process, Project
from tests.engines.waiting import until
from tests.faults.proxy import Proxy
from tests.requirements import needs_program


class Site:
    """A project of one engine, with the die that decides who is hurt when."""

    def __init__(self, engine: str, directory: Path, seed: int, environ: Mapping[str, str]) -> None:
        self.engine_name, self.engine = engine, ENGINES[engine]
        self.random = random.Random(f"{seed} {engine} {directory.name}")
        name = f"faults_{engine}_{os.getpid()}_{self.random.randrange(10**6)}"
        self.project = Project(name, directory, f"tests.engines.settings.{self.engine.settings}")
        self.project.environ |= environ
        self.tasks: list[str] = []
        self.lost: list[str] = []
        self.notes: list[str] = []
        self.tried = 0
        self.proxy: Any = None

    @property
    def workers(self) -> list[Process]:
        return [process for process in self.project.processes if process.runs()]

    def keep_workers(self, count: int = 2, *, swept_by_default: bool = False) -> None:
        """Start workers, as a supervisor does, until there are so many."""
        while len(self.workers) < count:
            args = self.engine.worker(self.project)
            if swept_by_default:
                args = tuple(arg for arg in args if arg not in ("--every", "1", "--beat"))
            self.project.start(*args)

    def owner_of(self, task_id: str) -> tuple[Process, int]:
        """The worker that runs the task, and the process of it that does."""

        def probe() -> tuple[Process, int] | None:
            row = self.row(task_id)
            if row["status"] != "processing":
                return None
            pid = int(row["lease_owner"].split(":")[1])
            return next(((each, pid) for each in self.workers if each.owns(pid)), None)

        return until(probe)  # type: ignore[return-value]

    def put_proxy_before(self, what: str) -> None:
        """Have the workers, and for a broker the web too, go through a proxy."""
        if what == "database":
            self.project.call(actions.ends, [])  # the test's own process, which goes without
            self.proxy = Proxy(5432)
            url = self.project.environ["DATABASE_URL"].replace("5432", str(self.proxy.port))
            self.project.environ["DATABASE_URL"] = url
        else:
            self.proxy = Proxy(self.engine.port or 0)
            self.project.environ["ENGINE_TESTS_BROKER_PORT"] = str(self.proxy.port)
            self.project.restart_caller()

    def submit(self, input: Mapping[str, Any], type: str = "planned") -> str:
        self.tasks.append(self.project.call(actions.submit, input, type))
        return self.tasks[-1]

    def row(self, task_id: str) -> dict[str, Any]:
        return self.project.call(actions.row, task_id)

    def ended(self) -> list[tuple[str, int]]:
        return self.project.call(actions.ends, self.tasks)

    def expect(self, what: str, holds: object) -> None:
        """Count what is not as promised."""
        if not holds:
            self.lost.append(what)

    def expect_success(self, seconds: float, *outcomes: str, workers: int = 0) -> None:
        """Every task ends in success within so many seconds, by these outcomes if they are given.

        Nothing is left in the scratch, or in the storage beside the images of the results.
        """
        end = time.monotonic() + seconds
        while len(self.ended()) < len(self.tasks) and time.monotonic() < end:
            self.keep_workers(workers)
            time.sleep(0.2)
        rows = [self.row(task_id) for task_id in self.tasks]
        for row in rows:
            is_as_promised = row["outcomes"] == [*outcomes] if outcomes else is_kept(row)
            self.expect(f"{row['id']} {row['outcomes']} {row['message']}", is_as_promised)
        results = {row["result"]["location"] for row in rows if "location" in (row["result"] or {})}
        self.expect_soon("files in the storage", lambda: files(self, "media") == results)
        self.expect_soon("files in the scratch", lambda: not files(self, "scratch"))

    def expect_soon(self, what: str, holds: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not holds() and time.monotonic() < end:
            time.sleep(0.5)
        self.expect(what, holds())

    def seconds_until(self, probe: Callable[[], Any], at_most: float = 180) -> float:
        began = time.monotonic()
        until(probe, at_most)
        return time.monotonic() - began

    def hurt(self, pid: int, number: signal.Signals) -> None:
        self.tried += 1
        os.kill(pid, number)


def is_kept(row: Mapping[str, Any]) -> bool:
    """Whether a task ended well, or by as many losses as are allowed, and says so."""
    lost_thrice = row["outcomes"] == ["lost", "lost", "failure"]
    says_so = row["message"] == "The worker was lost, in the last of 3 attempts"
    return bool(row["status"] == "success" or (lost_thrice and says_so))


def files(site: Site, name: str) -> set[str]:
    root = site.project.directory / name
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@contextmanager
def clock_at(seconds: int, directory: Path) -> Iterator[None]:
    """Have programs that are started in the block see another time."""
    library = directory / "clock.so"
    if not library.exists():
        source = Path(__file__).with_name("clock.c")
        compiler = needs_program("gcc")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    with patch.dict(os.environ, LD_PRELOAD=str(library), SKEW=str(seconds)):
        yield


@contextmanager
def at_site(engine: str, directory: Path, seed: int, environ: Mapping[str, str]) -> Iterator[Site]:
    site = Site(engine, directory, seed, environ)
    try:
        site.project.call(actions.create_database)
        yield site
    finally:
        if site.proxy:
            site.proxy.close()
        site.project.kill_all()
        site.project.call(actions.destroy_database)
        site.project.close()
        site.engine.clean(site.project.name)
