"""Workers that are told to stop in the middle of a task, as by each deployment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.engines import actions
from tests.engines.brokers import Engine
from tests.engines.project import Process, Project
from tests.engines.waiting import at_work, finished, until

LONG = {"steps": 2000}


def owner(project: Project, pid: int) -> Process:
    return next(process for process in project.processes if process.runs() and process.owns(pid))


def to_main_process(worker: Process) -> None:
    """As Docker, Kubernetes and systemd's ``KillMode=mixed`` do."""
    os.kill(worker.pid, signal.SIGTERM)


def to_all_processes(worker: Process) -> None:
    """As systemd does by itself."""
    worker.signal(signal.SIGTERM)


def from_keyboard(worker: Process) -> None:
    worker.signal(signal.SIGINT)


@pytest.mark.parametrize("stop", [to_main_process, to_all_processes])
def test_the_task_is_handed_over_at_once(
    project: Project, workers: list[Process], stop: Callable[[Process], None]
) -> None:
    task_id = project.call(actions.submit, LONG)
    worker = owner(project, at_work(project, task_id))

    stop(worker)

    until(lambda: project.call(actions.row, task_id)["status"] == "success", seconds=15)
    row = project.call(actions.row, task_id)
    assert (row["attempts"], row["failed_attempts"]) == (2, 0)
    assert row["outcomes"] == ["handed_over", "success"]
    until(lambda: not worker.runs() and not worker.pids())


@pytest.mark.parametrize("engine_name", ["django_tasks"], indirect=True)
def test_ctrl_c_hands_the_task_over(project: Project, workers: list[Process]) -> None:
    task_id = project.call(actions.submit, LONG)
    worker = owner(project, at_work(project, task_id))

    from_keyboard(worker)

    assert finished(project, task_id)["status"] == "success"
    assert project.call(actions.row, task_id)["outcomes"] == ["handed_over", "success"]
    until(lambda: not worker.runs() and not worker.pids())


@pytest.mark.parametrize("engine_name", ["django_tasks"], indirect=True)
def test_a_task_outlives_more_deployments_than_it_has_attempts(
    project: Project, engine: Engine, workers: list[Process]
) -> None:
    task_id = project.call(actions.submit, {**LONG, "slow_attempts": 5})
    for attempt in range(1, 6):
        until(lambda: project.call(actions.row, task_id)["attempts"] == attempt)  # noqa: B023
        worker = owner(project, at_work(project, task_id))
        engine.start_worker(project)
        to_main_process(worker)
        until(lambda: not worker.runs())  # noqa: B023

    row = finished(project, task_id)
    assert (row["status"], row["attempts"], row["failed_attempts"]) == ("success", 6, 0)
