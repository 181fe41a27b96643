"""What checkpoints cost an import, measured in its own process."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from statistics import median
from threading import local
from typing import Any
from unittest.mock import patch

from tests.faults.counted import counted
from tests.faults.site import Site


def checkpoints_cost(site: Site, times: int = 5, mebibytes: int = 512) -> None:
    """Imports with and without checkpoints, in turn; no fault at all."""
    size = mebibytes * 2**20
    with counted(size, rate=size / 15) as (_, server):
        site.project.call(import_alone, server.url(), True)  # once for nothing: modules are loaded
        runs: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for number in range(times):
            for keeps in (True, False) if number % 2 else (False, True):
                runs[keeps].append(site.project.call(import_alone, server.url(), keeps))
    site.tried = 2 * times
    own = median(own / total for own, total in runs[True])
    ratio = median(total for _, total in runs[True]) / median(total for _, total in runs[False])
    site.expect(f"{own:.2%} of an import's CPU time", own <= 0.01)
    site.notes.append(f"{own:.2%} of an import's CPU time; {ratio:.3f} of that without")


def import_alone(url: str, keeps: bool) -> tuple[float, float]:
    """The seconds of CPU of an import's checkpoints, and of the whole import."""
    from django_image_tasks import executor, scratch
    from django_image_tasks.context import TaskContext
    from django_image_tasks.handlers.image_import.partial_file import PartialFile
    from django_image_tasks.services import create_task

    own = Spent()
    with ExitStack() as stack:
        stack.enter_context(patch("django_image_tasks.tickets.submit", lambda task: None))
        if keeps:
            for owner, name in (
                (TaskContext, "checkpoint"),
                (TaskContext, "_record_checkpoint"),
                (PartialFile, "_flush"),
            ):
                stack.enter_context(patch.object(owner, name, own.timed(getattr(owner, name))))
        else:
            stack.enter_context(patch.object(TaskContext, "checkpoint", lambda *args: None))
            stack.enter_context(patch.object(PartialFile, "_flush", lambda *args: None))
        task = create_task("import", {"import_from": url}, owner="tests")
        began = time.process_time()
        executor.run(task.pk)
        total = time.process_time() - began
    task.refresh_from_db()
    assert task.status == "success", task.message
    assert not [*scratch.conf.SCRATCH_DIR.iterdir()]
    return own.seconds, total


class Spent:
    """Seconds of CPU that were spent in functions; one that calls another counts once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._calls = local()

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any) -> Any:
            if getattr(self._calls, "began", None) is not None:
                return function(*args)
            self._calls.began = time.thread_time()
            try:
                return function(*args)
            finally:
                self.seconds += time.thread_time() - self._calls.began
                self._calls.began = None

        return call
