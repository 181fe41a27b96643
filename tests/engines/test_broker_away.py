"""A broker that is away: nobody waits for it, and nothing is lost."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.engines import actions
from tests.engines.brokers import ENGINES
from tests.engines.project import Process, Project
from tests.engines.waiting import finished

WITH_A_BROKER = [name for name, engine in ENGINES.items() if engine.port]


@pytest.fixture(params=["refuses", "is silent"])
def dead_port(request: pytest.FixtureRequest) -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "is silent":
            server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize("engine_name", WITH_A_BROKER, indirect=True)
def test_a_task_is_created_in_time_and_runs_once_the_broker_is_back(
    project: Project, dead_port: int, workers: list[Process]
) -> None:
    with project.with_broker_at(dead_port) as call:
        call(actions.submit, {})
        task_id, seconds = call(actions.submit_in_time, {})

    assert seconds < 3
    assert finished(project, task_id)["status"] == "success"
    assert project.notes(task_id) == ["1 runs"]


@pytest.mark.parametrize("engine_name", WITH_A_BROKER, indirect=True)
def test_tasks_are_created_and_read_without_a_broker_and_a_worker(
    project: Project, dead_port: int
) -> None:
    project.kill_all()
    with project.with_broker_at(dead_port) as call:
        task_id = call(actions.submit, {})
        task = call(actions.get, f"/v2/tasks/{task_id}")
        tasks = call(actions.get, "/v2/tasks")

    assert task["status"] == "pending"
    assert task_id in [each["id"] for each in tasks["tasks"]]
