"""A project whose workers are hurt, and what is counted of its tasks."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

from tests.caches.servers import free_port
from tests.engines import actions
from tests.engines.brokers import ENGINES
from tests.engines.project import Process, Project
from tests.engines.waiting import until
from tests.faults.proxy import Proxy
from tests.faults.servers import answers
from tests.requirements import needs, needs_program

CANCELLED = "Cancelled by anonymous"


class Site:
    """A project of one engine, with the die that decides who is hurt when."""

    def __init__(self, engine: str, directory: Path, seed: int, environ: Mapping[str, str]) -> None:
        self.engine_name, self.engine = engine, ENGINES[engine]
        self.random = random.Random(f"{seed} {engine} {directory.name}")
        name = f"faults_{engine}_{os.getpid()}_{self.random.randrange(10**6)}"
        self.project = Project(name, directory, f"tests.engines.settings.{self.engine.settings}")
        self.project.environ |= environ
        self.tasks: list[str] = []
        self.failures: dict[str, str] = {}
        """Of the tasks that are to fail, the message."""
        self.cancelled = set[str]()
        """Those that may have been cancelled before they ended otherwise."""
        self.lost: list[str] = []
        self.notes: list[str] = []
        self.tried = 0
        self.proxy: Any = None
        self.server: Any = None
        """A database server of the fault's own."""
        self.web: Process | None = None

    @property
    def workers(self) -> list[Process]:
        return [each for each in self.project.processes if each.runs() and each is not self.web]

    def keep_workers(self, count: int = 2, *, swept_by_default: bool = False) -> None:
        """Start workers, as a supervisor does, until there are so many."""
        while len(self.workers) < count:
            args = self.engine.worker(self.project)
            if swept_by_default:
                args = tuple(arg for arg in args if arg not in ("--every=1", "--beat"))
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
            self._move_database(self.proxy.port)
        else:
            self.proxy = Proxy(self.engine.port or 0)
            self.project.environ["ENGINE_TESTS_BROKER_PORT"] = str(self.proxy.port)
            self.project.restart_caller()

    def _move_database(self, port: int) -> None:
        url = urlsplit(self.project.environ["DATABASE_URL"])
        moved = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{port}"))
        self.project.environ["DATABASE_URL"] = urlunsplit(moved)

    @contextmanager
    def with_database_at(self, port: int) -> Iterator[None]:
        """All of the project reaches its database at another port in this block, and then ends."""
        before = self.project.environ["DATABASE_URL"]
        self._move_database(port)
        self.project.restart_caller()
        try:
            yield
        finally:
            self.project.kill_all()
            self.project.environ["DATABASE_URL"] = before
            self.project.restart_caller()

    def start_web(self) -> None:
        """Gunicorn with two workers."""
        needs("gunicorn")
        self.web_port = free_port()
        options = ("--workers", "2", "--threads", "8", "--bind", f"127.0.0.1:{self.web_port}")
        self.web = self.project.start("-m", "gunicorn", *options, "example_project.wsgi")
        until(lambda: answers(self.web_port))

    def web_pids(self) -> list[int]:
        return self.web.pids() if self.web else []

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """The status and the document that the web answers with."""
        with closing(HTTPConnection("127.0.0.1", self.web_port, timeout=60)) as connection:
            headers = {"Content-Type": "application/json"} if body else {}
            connection.request(
                method, f"/v2/tasks{path}", json.dumps(body) if body else "", headers
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")

    def post(self, input: Mapping[str, Any], type: str = "planned") -> int:
        """Ask the web for a task, which is expected to end well if there is one: 201."""
        status, task = self.ask("POST", "", {"type": type, "input": input})
        if status == 201:
            self.tasks.append(task["id"])
        return status

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

        Those of ``failures`` fail. Nothing is left in the scratch, or in the storage beside the
        images of the results.
        """
        end = time.monotonic() + seconds
        while len(self.ended()) < len(self.tasks) and time.monotonic() < end:
            self.keep_workers(workers)
            time.sleep(0.2)
        rows = [self.row(task_id) for task_id in self.tasks]
        for row in rows:
            if message := self.failures.get(str(row["id"])):
                is_as_promised = (row["status"], row["message"]) == ("failure", message)
            elif str(row["id"]) in self.cancelled and row["message"] == CANCELLED:
                is_as_promised = row["status"] == "failure"
            else:
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
