from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from tests.engines import actions
from tests.engines.project import Project

T = TypeVar("T")


def until(probe: Callable[[], T], seconds: float = 60) -> T:
    """What ``probe`` returns, once that is true."""
    end = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.1)
    return found


def finished(project: Project, task_id: str) -> dict[str, Any]:
    """The task's row, once it is final."""

    def probe() -> dict[str, Any] | None:
        row = project.call(actions.row, task_id)
        return row if row["finished_at"] else None

    return until(probe)


def at_work(project: Project, task_id: str) -> int:
    """The id of the process that runs the task, once it has reported progress."""

    def probe() -> int | None:
        row = project.call(actions.row, task_id)
        return int(row["lease_owner"].split(":")[1]) if row["bytes_done"] else None

    return until(probe)
