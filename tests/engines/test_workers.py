"""Each engine with its real broker and two of its real workers."""

from __future__ import annotations

import os

from tests.engines import actions
from tests.engines.project import Process, Project
from tests.engines.waiting import at_work, finished, until

VOLUME = int(os.environ.get("IMAGE_TASKS_VOLUME", "40"))


def test_a_task_runs_to_success(project: Project, workers: list[Process]) -> None:
    task_id = project.call(actions.submit, {"steps": 1})

    row = finished(project, task_id)

    assert (row["status"], row["result"], row["attempts"]) == ("success", {"attempt": 1}, 1)
    assert project.notes(task_id) == ["1 runs"]


def test_the_same_message_delivered_twenty_times_at_once_runs_once(
    project: Project, workers: list[Process]
) -> None:
    task_id = project.call(actions.create, {"steps": 20})

    project.call(actions.deliver, task_id, 20)

    until(lambda: project.logs().count(f"task_skipped task={task_id}") >= 19)
    row = finished(project, task_id)
    assert (row["status"], row["attempts"]) == ("success", 1)
    assert project.notes(task_id) == ["1 runs"]


def test_many_tasks_run_once_each(project: Project, workers: list[Process]) -> None:
    task_ids = project.call(actions.submit_many, VOLUME)

    until(lambda: len(project.call(actions.ends, task_ids)) == VOLUME, seconds=60 + VOLUME)

    assert project.call(actions.ends, task_ids) == [("success", 1)] * VOLUME
    assert [project.notes(task_id) for task_id in task_ids] == [["1 runs"]] * VOLUME


def test_a_cancel_reaches_the_handler(project: Project, workers: list[Process]) -> None:
    task_id = project.call(actions.submit, {"steps": 2000})
    at_work(project, task_id)

    project.call(actions.cancel, task_id)

    row = finished(project, task_id)
    assert (row["status"], row["message"]) == ("failure", "Cancelled by mia")
    until(lambda: project.notes(task_id) == ["1 runs", "1 TaskCancelled"])


def test_a_task_that_was_never_put_on_the_queue_runs_all_the_same(
    project: Project, workers: list[Process]
) -> None:
    task_id = project.call(actions.create, {})

    assert finished(project, task_id)["status"] == "success"
