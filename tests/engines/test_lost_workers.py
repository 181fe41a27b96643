"""Workers that are ended, killed or paused in the middle of a task."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.engines import actions
from tests.engines.project import Process, Project
from tests.engines.waiting import at_work, finished, until
from tests.handlers.fakes import SourceServer, answer, begin, running
from tests.requirements import needs

LONG = {"steps": 2000}
IMAGE = os.urandom(4 * 2**20)


def slowly(request: BaseHTTPRequestHandler) -> None:
    begin(request, length=len(IMAGE))
    for start in range(0, len(IMAGE), 2**14):
        request.wfile.write(IMAGE[start : start + 2**14])
        time.sleep(0.1)


@pytest.fixture
def server() -> Iterator[SourceServer]:
    needs("requests_hardened")
    needs("oslo_utils")
    with running(SourceServer()) as server:
        yield server


def owner(workers: list[Process], pid: int) -> Process:
    return next(worker for worker in workers if worker.owns(pid))


def stored(project: Project) -> list[str]:
    media = project.directory / "media"
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


def assert_scratch_is_swept(scratch: Path) -> None:
    until(lambda: not list(scratch.iterdir()))


def test_a_worker_asked_to_end_ends_its_task_first(
    project: Project, workers: list[Process]
) -> None:
    task_id = project.call(actions.submit, {"steps": 50})
    worker = owner(workers, at_work(project, task_id))

    os.kill(worker.pid, signal.SIGTERM)

    until(lambda: not worker.runs() and not worker.pids())
    row = project.call(actions.row, task_id)
    assert (row["status"], row["attempts"]) == ("success", 1)


def test_a_killed_worker_costs_one_attempt(project: Project, workers: list[Process]) -> None:
    task_id = project.call(actions.submit, LONG)

    owner(workers, at_work(project, task_id)).kill()

    row = finished(project, task_id)
    assert (row["status"], row["result"], row["attempts"]) == ("success", {"attempt": 2}, 2)
    assert row["outcomes"] == ["lost", "success"]
    assert project.notes(task_id) == ["1 runs", "2 runs"]
    assert_scratch_is_swept(project.directory / "scratch")


@pytest.mark.parametrize("engine_name", ["celery_rabbitmq", "celery_redis", "rq"], indirect=True)
def test_a_killed_child_of_a_worker_costs_one_attempt(
    project: Project, workers: list[Process]
) -> None:
    task_id = project.call(actions.submit, LONG)
    pid = at_work(project, task_id)
    worker = owner(workers, pid)

    os.kill(pid, signal.SIGKILL)

    row = finished(project, task_id)
    assert (row["status"], row["attempts"]) == ("success", 2)
    assert project.notes(task_id) == ["1 runs", "2 runs"]
    assert worker.runs()
    assert_scratch_is_swept(project.directory / "scratch")


@pytest.mark.parametrize("engine_name", ["django_tasks"], indirect=True)
def test_the_sweep_beside_a_worker_ends_with_it(workers: list[Process]) -> None:
    worker = workers[0]
    until(lambda: "swept" in worker.log.read_text())

    os.kill(worker.pid, signal.SIGKILL)

    until(lambda: not worker.runs() and not worker.pids())


def test_a_worker_killed_in_mid_import_leaves_one_image(
    project: Project, workers: list[Process], server: SourceServer
) -> None:
    server.answers = [slowly, answer(IMAGE)]
    before = stored(project)
    task_id = project.call(actions.submit, {"import_from": server.url()}, "import")

    owner(workers, at_work(project, task_id)).kill()

    row = finished(project, task_id)
    assert (row["status"], row["attempts"], row["message"]) == ("success", 2, "")
    assert row["result"]["size"] == len(IMAGE)
    assert stored(project) == sorted([*before, row["result"]["location"]])
    assert_scratch_is_swept(project.directory / "scratch")


@pytest.mark.parametrize("engine_name", ["django_tasks"], indirect=True)
def test_a_worker_paused_beyond_its_lease_can_write_nothing(
    project: Project, workers: list[Process]
) -> None:
    task_id = project.call(actions.submit, LONG)
    worker = owner(workers, at_work(project, task_id))

    worker.signal(signal.SIGSTOP)
    row = finished(project, task_id)
    worker.signal(signal.SIGCONT)

    until(lambda: f"lease_lost task={task_id}" in worker.log.read_text())
    assert (row["status"], row["result"], row["attempts"]) == ("success", {"attempt": 2}, 2)
    assert project.call(actions.row, task_id) == row


@pytest.mark.parametrize("engine_name", ["django_tasks"], indirect=True)
def test_a_worker_paused_while_it_stores_leaves_no_second_image(
    project: Project, workers: list[Process], server: SourceServer
) -> None:
    server.answers = [answer(IMAGE)]
    before = stored(project)
    (project.directory / "stop").touch()
    task_id = project.call(actions.submit, {"import_from": server.url()}, "import")

    row = finished(project, task_id)
    for worker in workers:
        worker.signal(signal.SIGCONT)

    until(lambda: f"lease_lost task={task_id}" in project.logs())
    assert (row["status"], row["attempts"]) == ("success", 2)
    assert project.call(actions.row, task_id) == row
    assert stored(project) == sorted([*before, row["result"]["location"]])
