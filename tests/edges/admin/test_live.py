"""What an open page is told of what has changed, and what an answer costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.admin import TaskAdmin
from django_image_tasks.models import Task

from .pages import LIST, LIVE, LOGIN, Make, changelist, html_of, url_of

CELL = re.compile(r'<div id="(\w+)-([0-9a-f-]{36})" data-live.*?</div>')


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    yield
    cache.clear()


def asked(client: Client, *tasks: Task, **query: str) -> str:
    ids = ",".join(str(task.pk) for task in tasks)
    response = client.get(LIVE, {"ids": ids} | query)
    assert response.status_code == 200
    return response.content.decode()


def cells(html: str) -> list[str]:
    return [match[0] for match in CELL.finditer(html)]


@pytest.fixture
def running(make_task: Make) -> Task:
    task = make_task(name="debian")
    task.start("worker")
    task.record_progress(512, 1024)
    return task


def test_a_running_task_tells_how_far_it_is(operator: Client, running: Task) -> None:
    [badge, line, created] = cells(asked(operator, running))
    assert f'data-task="{running.pk}"' in badge
    assert '<progress max="100" value="50" aria-label="Progress of debian">' in badge
    assert '<span class="task-percent" title="512 bytes of 1.0 KiB">50 %</span>' in badge
    assert "task-message" not in line
    assert "running for 0 s" in created


def test_a_task_that_ended_says_so_and_is_not_asked_for_again(
    operator: Client, running: Task
) -> None:
    running.fail("Source answered <404>")
    Task.objects.update(started_at=now() - timedelta(hours=1), finished_at=now())
    [badge, line, created] = cells(asked(operator, running))
    assert 'data-news="debian: failure"' in badge
    assert "data-task" not in badge
    assert "Source answered &lt;404&gt;" in line
    assert "took 1 h 0 min" in created


def test_a_silent_worker_is_told_of_before_its_lease_runs_out(
    operator: Client, running: Task
) -> None:
    assert "silent" not in asked(operator, running)
    Task.objects.update(lease_expires_at=now() + timedelta(seconds=10))
    cache.clear()
    assert ">silent</span>" in cells(asked(operator, running))[0]
    url = url_of(running, "task_live")
    assert "Worker silent for 20 s" in operator.get(url).content.decode()
    Task.objects.update(lease_expires_at=now())
    assert ">stuck</span>" in cells(asked(operator, running))[0]


def test_a_task_without_a_known_size_has_no_percentage(operator: Client, running: Task) -> None:
    running.bytes_total = None
    Task.objects.update(progress=0, bytes_total=None)
    badge = cells(asked(operator, running))[0]
    assert '<progress max="100" aria-label="Progress of debian"></progress>' in badge
    assert ">512 bytes</span>" in badge
    assert "0 %" not in badge


def test_a_task_that_was_purged_is_gone(operator: Client, running: Task) -> None:
    pk = running.pk
    Task.objects.all().delete()
    [badge] = cells(asked(operator, Task(pk=pk)))
    assert f'id="badge-{pk}"' in badge
    assert ">gone</span>" in badge


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
    found = cells(asked(operator, task))
    assert len(found) == 3
    for cell in found:
        assert cell in page


def test_the_page_marks_the_rows_that_may_move(operator: Client, make_task: Make) -> None:
    ended = make_task()
    ended.cancel("somebody")
    waiting = make_task()
    page = html_of(operator)
    assert f'data-task="{waiting.pk}"' in page
    assert f'data-task="{ended.pk}"' not in page
    assert f'data-live-url="{LIVE}?above={waiting.pk}&amp;overview=1"' in page
    assert 'src="/static/django_image_tasks/live.js"' in page


def test_new_tasks_are_announced(operator: Client, make_task: Make) -> None:
    first = make_task()
    above = {"above": str(first.pk)}
    assert '<a id="task-changed" data-live hidden href="?">' in asked(operator, **above)
    for number in (1, 2):
        make_task(created_at=now() + timedelta(seconds=number))
    assert 'data-live href="?">2 new tasks: show them</a>' in asked(operator, **above)


def test_new_tasks_are_those_that_the_list_would_show(operator: Client, make_task: Make) -> None:
    first = make_task()
    make_task(created_at=now() + timedelta(seconds=1)).cancel("somebody")
    filtered = {"above": str(first.pk), "status__exact": "failure"}
    assert 'href="?status__exact=failure">1 new task: show it</a>' in asked(operator, **filtered)
    filtered["status__exact"] = "success"
    assert "hidden href" in asked(operator, **filtered)


def test_an_empty_list_learns_of_its_first_task(operator: Client, make_task: Make) -> None:
    query = changelist(operator, status__exact="pending").live_query
    make_task()
    page = operator.get(LIVE + query).content.decode()
    assert "1 new task: show it" in page


@pytest.mark.parametrize("above", ["x", "%00", "0a1b2c3d-0000-4000-8000-000000000001"])
def test_a_first_task_that_is_gone_announces_none(
    operator: Client, running: Task, above: str
) -> None:
    assert "hidden href" in asked(operator, above=above)
    assert "where this page began" not in html_of(operator)


def etag_that_holds(client: Client, url: str, query: Any = None) -> str:
    """The ETag of an answer that was not sent again."""
    for _ in range(10):  # it tells of seconds, and another one may begin in between
        etag = client.get(url, query)["ETag"]
        again = client.get(url, query, headers={"If-None-Match": etag})
        if again.status_code == 304:
            break
    assert (again.status_code, again.content) == (304, b"")
    return etag


def test_an_answer_that_has_not_changed_is_not_sent_again(operator: Client, running: Task) -> None:
    query = {"ids": str(running.pk), "above": str(running.pk), "overview": "1"}
    etag = etag_that_holds(operator, LIVE, query)
    running.record_progress(768, 1024)
    assert operator.get(LIVE, query, headers={"If-None-Match": etag}).status_code == 200


def test_the_overview_is_read_once_for_all_who_look(
    operator: Client, running: Task, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(LOGIN + 9):
        first = asked(operator, overview="1")
    assert 'id="task-panels"' in first
    with django_assert_num_queries(LOGIN):
        assert asked(operator, overview="1") == first


def test_two_queries_answer_for_the_whole_page(
    operator: Client,
    make_task: Make,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks = [make_task() for _ in range(4)]
    asked(operator, overview="1")  # which is kept
    with django_assert_num_queries(LOGIN + 1):
        assert len(cells(asked(operator, *tasks))) == 4 * 3
    with django_assert_num_queries(LOGIN + 1 + 2) as queries:  # the marker, and what is above it
        asked(operator, *tasks, above=str(tasks[-1].pk))
    assert not [query for query in queries if "COUNT" in query["sql"]]
    monkeypatch.setattr(TaskAdmin, "list_per_page", 3)
    assert len(cells(asked(operator, *tasks))) == 3 * 3


@pytest.mark.parametrize("ids", ["", ",", "x,%00"])
def test_ids_that_are_none_are_left_out(operator: Client, running: Task, ids: str) -> None:
    response = operator.get(f"{LIVE}?ids={ids}")
    assert cells(response.content.decode()) == []


def test_a_tasks_page_asks_for_its_moving_parts(operator: Client, running: Task) -> None:
    page = operator.get(url_of(running)).content.decode()
    url = url_of(running, "task_live")
    assert f'data-live-url="{url}" data-while-moving' in page
    answer = operator.get(url)
    parts = answer.content.decode()
    for part in ("task-head", "task-outcome", "task-timeline"):
        assert f'id="{part}"' in parts
    assert etag_that_holds(operator, url)


def test_a_tasks_page_learns_that_the_task_is_gone(operator: Client, running: Task) -> None:
    url = url_of(running, "task_live")
    Task.objects.all().delete()
    assert operator.get(url).status_code == 404


@pytest.mark.parametrize("page", ["list", "task"])
def test_who_may_not_look_at_tasks_is_refused(client: Client, running: Task, page: str) -> None:
    url = LIVE if page == "list" else url_of(running, "task_live")
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(url).status_code == 403
    client.logout()
    response: Any = client.get(url)
    assert response.status_code == 302
    assert "/login/" in response["Location"]


def test_a_page_that_is_open_knows_where_to_log_in(operator: Client, running: Task) -> None:
    page = html_of(operator, status__exact="pending")
    assert f'href="/admin/login/?next={LIST}%3Fstatus__exact%3Dpending">Log in</a>' in page
