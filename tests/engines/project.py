"""A project in processes of its own: a database, a queue, and the workers that a test starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


class Project:
    """``call`` has something done in it, ``start`` has it run a program."""

    def __init__(self, name: str, directory: Path, settings: str) -> None:
        self.name = name
        self.directory = directory
        self.environ = {
            "DJANGO_SETTINGS_MODULE": settings,
            "ENGINE_TESTS_NAME": name,
            "ENGINE_TESTS_DIRECTORY": str(directory),
            "PYTHONUNBUFFERED": "1",
        }
        self.processes: list[Process] = []
        self._caller = caller(self.environ)

    def call(self, function: Callable[..., T], *args: Any) -> T:
        return self._caller.submit(function, *args).result(timeout=120)

    def restart_caller(self) -> None:
        """Have ``call`` see what has changed in ``environ``."""
        self._caller.shutdown()
        self._caller = caller(self.environ)

    @contextmanager
    def with_broker_at(self, port: int) -> Iterator[Callable[..., Any]]:
        """``call`` where the broker is looked for at another port."""
        with caller({**self.environ, "ENGINE_TESTS_BROKER_PORT": str(port)}) as process:
            yield lambda function, *args: process.submit(function, *args).result(timeout=120)

    def start(self, *args: str) -> Process:
        log = self.directory / f"process-{len(self.processes)}.log"
        process = Process(args, {**os.environ, **self.environ}, log)
        self.processes.append(process)
        return process

    def logs(self) -> str:
        return "".join(process.log.read_text() for process in self.processes)

    def notes(self, task_id: str) -> list[str]:
        """What the handler noted of its runs: attempt and event."""
        path = self.directory / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.removeprefix(f"{task_id} ") for line in lines if line.startswith(task_id)]

    def kill_all(self) -> None:
        for process in self.processes:
            process.kill()

    def close(self) -> None:
        self._caller.shutdown()


class Process:
    """A program with whatever processes it starts: a session, in Unix's words."""

    def __init__(self, args: tuple[str, ...], environ: dict[str, str], log: Path) -> None:
        self.args = args
        self.log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, *args],
                cwd=ROOT,
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def pids(self) -> list[int]:
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.owns(pid)]

    def owns(self, pid: int) -> bool:
        with suppress(ProcessLookupError):
            return os.getsid(pid) == self.pid
        return False

    def runs(self) -> bool:
        return self._popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """As ``kill -9``, its children included."""
        self.signal(signal.SIGKILL)
        self._popen.wait()


def caller(environ: dict[str, str]) -> ProcessPoolExecutor:
    """A process that is set up for a project, and does what it is given."""
    return ProcessPoolExecutor(1, get_context("spawn"), set_up, (environ,))


def set_up(environ: dict[str, str]) -> None:
    os.environ.update(environ)
    import django

    django.setup()
