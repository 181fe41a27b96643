"""Two hundred requests at once, where SQLite is the database, the queue and the bottleneck."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.request import Request, urlopen

import pytest

from tests.engines import actions
from tests.engines.project import Process, Project
from tests.engines.waiting import until

COUNT = 200


@pytest.mark.parametrize("engine_name", ["django_tasks"], indirect=True)
def test_a_burst_of_posts_ends_in_as_many_successes(
    project: Project, workers: list[Process]
) -> None:
    url = f"http://127.0.0.1:{project.call(actions.serve)}/v2/tasks"
    body = json.dumps({"type": "steps", "input": {}}).encode()

    def post(number: int) -> str:
        request = Request(url, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as response:
            assert response.status == 201
            return str(json.load(response)["id"])

    with ThreadPoolExecutor(COUNT) as pool:
        task_ids = list(pool.map(post, range(COUNT)))

    until(lambda: len(project.call(actions.ends, task_ids)) == COUNT)
    assert project.call(actions.ends, task_ids) == [("success", 1)] * COUNT
