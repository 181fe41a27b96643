from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.admin import TaskAdmin
from django_image_tasks.models import Task

from .pages import LIVE, LOGIN, Make, html_of


def states(client: Client, *tasks: Task) -> list[dict[str, Any]]:
    response = client.get(LIVE, {"ids": ",".join(str(task.pk) for task in tasks)})
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()["tasks"]
    return found


@pytest.fixture
def running(make_task: Make) -> Task:
    task = make_task(name="debian")
    task.start("worker")
    task.record_progress(512, 1024)
    return task


def test_a_running_task_tells_how_far_it_is(operator: Client, running: Task) -> None:
    [state] = states(operator, running)
    assert state.pop("cells").keys() == {"badge", "finished", "duration", "line", "attempts"}
    assert state == {
        "id": str(running.pk),
        "status": "processing",
        "is_finished": False,
        "progress": 50,
        "percent": "50 %",
        "size": "512 bytes of 1.0 KiB",
        "news": "debian: processing",
    }


def test_a_task_that_ended_says_so(operator: Client, running: Task) -> None:
    running.fail("Source answered <404>")
    Task.objects.update(started_at=now() - timedelta(hours=1), finished_at=now())
    [state] = states(operator, running)
    assert state["is_finished"]
    assert state["news"] == "debian: failure"
    assert "Source answered &lt;404&gt;" in state["cells"]["line"]
    assert state["cells"]["duration"] == "1 h 0 min"


@pytest.mark.parametrize("verb", ["succeed", "cancel", "wait"])
def test_cells_come_as_the_list_shows_them(
    operator: Client, make_task: Make, running: Task, verb: str
) -> None:
    if verb == "succeed":
        running.succeed({})
    task = running if verb == "succeed" else make_task(name="waits")
    if verb == "cancel":
        task.cancel("somebody")
    Task.objects.exclude(pk=task.pk).delete()
    page = html_of(operator)
    [state] = states(operator, task)
    for name, cell in state["cells"].items():
        assert f'<td class="field-{name}">{cell}</td>' in page


def test_the_page_marks_the_rows_that_may_move(operator: Client, make_task: Make) -> None:
    ended = make_task()
    ended.cancel("somebody")
    waiting = make_task()
    page = html_of(operator)
    assert f'data-task="{waiting.pk}" data-live>' in page
    assert f'data-task="{ended.pk}">' in page
    assert f'role="status" data-url="{LIVE}"' in page
    assert 'src="/static/django_image_tasks/live.js"' in page


def test_one_query_answers_for_the_whole_page(
    operator: Client,
    make_task: Make,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks = [make_task() for _ in range(4)]
    with django_assert_num_queries(LOGIN + 1):
        assert len(states(operator, *tasks)) == 4
    monkeypatch.setattr(TaskAdmin, "list_per_page", 3)
    assert len(states(operator, *tasks)) == 3


@pytest.mark.parametrize("ids", ["", ",", "x,%00", "0a1b2c3d-0000-4000-8000-000000000001"])
def test_ids_that_are_none_are_left_out(operator: Client, running: Task, ids: str) -> None:
    response = operator.get(f"{LIVE}?ids={ids}")
    assert response.json() == {"tasks": []}


def test_who_may_not_look_at_tasks_is_refused(client: Client, running: Task) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(LIVE, {"ids": str(running.pk)}).status_code == 403


def test_who_is_not_signed_in_is_asked_to(client: Client, running: Task) -> None:
    response = client.get(LIVE, {"ids": str(running.pk)})
    assert response.status_code == 302
    assert "/login/" in response["Location"]
