from __future__ import annotations

import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.models import Task
from django_image_tasks.services import retry_task

from .conftest import Rights
from .pages import LIST, LOGIN, InlineCode, Make, url_of


def page_of(client: Client, task: Task, **query: str) -> str:
    response = client.get(url_of(task), query)
    assert response.status_code == 200
    return response.content.decode()


def live_of(client: Client, task: Task) -> str:
    response = client.get(url_of(task, "task_live"))
    assert response.status_code == 200
    return response.content.decode()


def text_of(html: str, id: str) -> str:
    return unescape(html.partition(f'id="{id}"')[2].partition(">")[2].partition("</pre>")[0])


@pytest.fixture
def tried_twice(make_task: Make) -> Task:
    task = make_task(name="Debian", input={"import_from": "https://example.org/<image>"})
    task.start("worker 1")
    task.schedule_next_attempt("Connection refused", timedelta())
    task.start("worker 2")
    return task


def test_the_attempts_are_told_in_order(operator: Client, tried_twice: Task) -> None:
    tried_twice.fail("No such <image>\nnor any other")
    page = page_of(operator, tried_twice)
    told = [
        "<strong>Created</strong>",
        "<strong>Attempt 1</strong>",
        "failed for now after 0 s, on worker 1",
        "Connection refused",
        "<strong>Attempt 2</strong>",
        "failure after 0 s, on worker 2",
        "<strong>Failure</strong>",
        "<strong>Expires</strong>",
    ]
    places = [page.index(text) for text in told]
    assert places == sorted(places)


def test_the_whole_error_is_shown_once(operator: Client, tried_twice: Task) -> None:
    tried_twice.fail("No such <image>\nnor any other")
    page = page_of(operator, tried_twice)
    assert text_of(page, "task-message") == "No such <image>\nnor any other"
    assert page.count("nor any other") == 1


def test_input_and_result_are_shown_for_people_and_for_the_clipboard(
    operator: Client, tried_twice: Task
) -> None:
    tried_twice.succeed({"name": "käse", "sizes": [1, None]})
    page = page_of(operator, tried_twice)
    assert json.loads(text_of(page, "task-input")) == tried_twice.input
    assert json.loads(text_of(page, "task-result")) == {"name": "käse", "sizes": [1, None]}
    assert '<span class="task-json-key">&quot;name&quot;</span>: ' in page
    assert '<span class="task-json-string">&quot;käse&quot;</span>,' in page
    assert "<image>" not in page


def test_a_task_without_a_result_shows_none(operator: Client, make_task: Make) -> None:
    assert "task-result" not in page_of(operator, make_task())


def test_the_wait_between_two_events_is_told(operator: Client, make_task: Make) -> None:
    task = make_task(created_at=now() - timedelta(minutes=2))
    task.start("worker")
    page = page_of(operator, task)
    assert '<div class="task-wait">2 min 0 s later</div>' in page


def test_progress_is_shown_in_bytes_with_its_rate(operator: Client, make_task: Make) -> None:
    task = make_task()
    task.start("worker")
    task.record_progress(12_897_485, 40 * 2**20)
    begin = task.updated_at - timedelta(seconds=2)
    Task.objects.filter(pk=task.pk).update(started_at=begin)
    assert "12.3 MiB of 40.0 MiB, 6.1 MiB/s" in page_of(operator, task)


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [
        (500, None, "500 bytes"),
        (0, 2048, "0 bytes of 2.0 KiB"),
        (1023, 1024, "1023 bytes of 1.0 KiB"),
        (1023, 1023, "1023 bytes"),
    ],
)
def test_progress_is_shown_in_the_unit_that_fits(
    operator: Client, make_task: Make, done: int, total: int | None, shown: str
) -> None:
    task = make_task(bytes_done=done, bytes_total=total)
    assert shown.replace(",", "") in page_of(operator, task).replace(",", "")


@pytest.mark.parametrize("retries", [0, 1, 25])
def test_a_page_takes_as_many_queries_whatever_it_shows(
    operator: Client,
    tried_twice: Task,
    retries: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first = tried_twice
    first.fail("no")
    task = retry_task(first)
    task.start("worker")
    task.fail("no")
    for _ in range(retries):
        retry_task(task)
    # The task, its attempts, what it retries and what retried it.
    with django_assert_num_queries(LOGIN + 4):
        page = page_of(operator, task)
    assert page.count(f'href="{url_of(first)}"') == 1
    with django_assert_num_queries(LOGIN + 2):
        live_of(operator, task)


def test_no_more_than_the_newest_retries_are_named(operator: Client, make_task: Make) -> None:
    task = make_task()
    task.start("worker")
    task.fail("no")
    retries = [retry_task(task) for _ in range(21)]
    page = page_of(operator, task)
    assert url_of(retries[0]) not in page
    assert all(url_of(retry) in page for retry in retries[1:])
    assert "… and earlier ones" in page
    Task.objects.filter(pk=retries[0].pk).delete()
    assert "… and earlier ones" not in page_of(operator, task)


def test_attempts_that_are_not_shown_are_counted(operator: Client, make_task: Make) -> None:
    task = make_task()
    for number in range(1, 53):
        task.history.create(number=number, worker="w", started_at=now(), ended_at=now())
    page = page_of(operator, task)
    assert "2 earlier attempts are not shown." in page
    assert "<strong>Attempt 2</strong>" not in page
    assert "<strong>Attempt 3</strong>" in page


def test_who_the_api_would_not_show_the_task_gets_no_link_to_it(
    user_with: Rights, make_task: Make
) -> None:
    client, task = user_with("view_task"), make_task(owner="somebody")
    assert f"/v2/tasks/{task.pk}" not in page_of(client, task)
    Task.objects.update(owner=str(User.objects.get().pk))
    assert f'href="/v2/tasks/{task.pk}"' in page_of(client, task)


def test_a_retry_outlives_what_it_retries(operator: Client, make_task: Make) -> None:
    task = make_task(retry_of="0a1b2c3d-0000-4000-8000-000000000001")
    page = page_of(operator, task)
    assert "<code>0a1b2c3d-0000-4000-8000-000000000001</code>, deleted meanwhile" in page


def test_what_changes_comes_alone_and_says_whether_it_will_change_again(
    operator: Client, tried_twice: Task
) -> None:
    page = live_of(operator, tried_twice)
    assert page.count("data-live") == 3
    assert "data-task" in page
    assert "task-input" not in page
    assert "<html" not in page
    tried_twice.succeed({})
    assert "data-task" not in live_of(operator, tried_twice)


def test_the_live_part_needs_a_task_and_its_permission(
    operator: Client, user_with: Rights, make_task: Make
) -> None:
    task = make_task()
    assert user_with("add_task").get(url_of(task), {"_live": "1"}).status_code == 403
    url = url_of(task)
    Task.objects.all().delete()
    assert operator.get(url, {"_live": "1"}).status_code == 302


def test_an_abandoned_task_is_called_stuck(operator: Client, make_task: Make) -> None:
    stuck = make_task(lease_expires_at=now() - timedelta(seconds=1))
    assert "Stuck" in page_of(operator, stuck)
    assert "Stuck" not in page_of(operator, make_task())


def test_a_cancellation_is_told(operator: Client, tried_twice: Task) -> None:
    tried_twice.cancel("somebody")
    page = page_of(operator, tried_twice)
    assert "Cancellation requested" in page
    assert "by somebody" in page


def test_the_page_leads_to_the_api(operator: Client, make_task: Make) -> None:
    task = make_task(owner=operator.session["_auth_user_id"])
    link = f'href="/v2/tasks/{task.pk}"'
    assert link in page_of(operator, task)
    Task.objects.update(expires_at=now())
    assert link not in page_of(operator, task)


@pytest.mark.urls("tests.edges.admin.only_admin")
def test_the_page_works_where_the_api_is_not_routed(operator: Client, make_task: Make) -> None:
    assert "Show as the API does" not in page_of(operator, make_task())


@pytest.mark.parametrize(
    ("base_url", "location", "href"),
    [
        ("/media/", "images/an-id/{pk}-1", "/media/images/an-id/{pk}-1"),
        ("https://cdn.example.org/", "images/an-id/{pk}-1", "https://cdn.example.org/images/"),
        ("/", "images/an-id/{pk}-1", None),
        ("/media/", "javascript:alert(1)", None),
        ("/media/", "/etc/passwd", None),
        ("/media/", None, None),
    ],
)
def test_the_page_leads_to_the_stored_image_where_it_is_served(
    operator: Client,
    make_task: Make,
    settings: Any,
    base_url: str,
    location: str | None,
    href: str | None,
) -> None:
    settings.STORAGES = settings.STORAGES | {
        "images": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"base_url": base_url},
        }
    }
    task = make_task()
    task.start("worker")
    location = location and location.format(pk=task.pk)
    task.succeed({"image_id": "an-id", "location": location})
    head = page_of(operator, task).partition('id="task-outcome"')[0]
    assert ("Stored image" in head) == bool(href)
    if href:
        assert f'href="{href.format(pk=task.pk)}' in head


@pytest.mark.parametrize(
    ("rights", "cancel", "retry"),
    [
        (["view_task"], False, False),
        (["view_task", "change_task"], True, False),
        (["change_task", "add_task"], True, True),
    ],
)
def test_buttons_are_for_who_may_use_them(
    user_with: Rights, make_task: Make, rights: list[str], cancel: bool, retry: bool
) -> None:
    client = user_with(*rights)
    waiting, failed = make_task(), make_task()
    failed.start("worker")
    failed.fail("no")
    assert (url_of(waiting, "cancel") in page_of(client, waiting)) == cancel
    assert (url_of(failed, "retry") in page_of(client, failed)) == retry
    assert url_of(waiting, "retry") not in page_of(client, waiting)
    assert url_of(failed, "cancel") not in page_of(client, failed)


def test_a_type_that_no_longer_runs_is_not_retried(
    admin_client: Client, make_task: Make, settings: Any
) -> None:
    task = make_task()
    task.start("worker")
    task.fail("no")
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    assert url_of(task, "retry") not in page_of(admin_client, task)


def test_a_task_cannot_be_changed_or_deleted(admin_client: Client, make_task: Make) -> None:
    task = make_task(name="as it was")
    page = page_of(admin_client, task)
    assert "<textarea" not in page
    assert 'name="_save"' not in page
    assert admin_client.post(url_of(task), {"name": "changed"}).status_code == 403
    assert admin_client.post(url_of(task, "delete"), {"post": "yes"}).status_code == 403
    assert Task.objects.get().name == "as it was"


def test_the_page_needs_its_permission(user_with: Rights, make_task: Make) -> None:
    assert user_with("add_task").get(url_of(make_task())).status_code == 403


def test_an_unknown_task_leads_back(operator: Client) -> None:
    assert operator.get(f"{LIST}nonsense/change/").status_code == 302


def test_a_strict_policy_holds(operator: Client, tried_twice: Task) -> None:
    tried_twice.fail("no")
    assert InlineCode(page_of(operator, tried_twice)).found == []


def test_a_huge_or_wide_document_is_folded(operator: Client, make_task: Make) -> None:
    page = page_of(operator, make_task(input={"many": list(range(2000)), "x": "<b>"}))
    tree = page.partition('class="task-json-tree">')[2]
    assert tree.startswith("<details><summary>")
    assert len(page) < 150_000
    wide = page_of(operator, make_task(input={"few": 1, "many": list(range(31))}))
    assert "<details open><summary>{" in wide
    assert '<details><summary><span class="task-json-key">&quot;many&quot;</span>: [' in wide


def test_a_success_has_come_all_the_way(operator: Client, make_task: Make) -> None:
    task = make_task()
    task.start("worker")
    task.record_progress(2047, 2048)
    task.succeed({})
    Task.objects.update(started_at=task.finished_at and task.finished_at - timedelta(seconds=2))
    assert '"task-transferred">2.0 KiB, 1.0 KiB/s<' in page_of(operator, task)


def test_a_long_string_is_folded(operator: Client, make_task: Make) -> None:
    page = page_of(operator, make_task(input={"text": "ä" * 501}))
    assert "501 characters" in page


def test_of_a_large_document_only_the_beginning_is_shown(operator: Client, make_task: Make) -> None:
    task = make_task(input={"zeros": [0] * 100_000, "at_the_very_end": "the end"})
    page = page_of(operator, task)
    assert "Only its beginning is shown here." in page
    assert "the end" not in page
    assert len(page) < 200_000


def test_one_link_leads_to_the_log(operator: Client, tried_twice: Task) -> None:
    assert page_of(operator, tried_twice).count('/history/"') == 1


def test_what_is_done_is_said_once_where_no_total_is_known(
    operator: Client, tried_twice: Task
) -> None:
    tried_twice.record_progress(512, None)
    assert page_of(operator, tried_twice).count(">512 bytes<") == 1


@pytest.mark.parametrize(("progress", "bars"), [(0, 0), (7, 1)])
def test_a_failure_has_a_bar_only_if_it_got_anywhere(
    operator: Client, tried_twice: Task, progress: int, bars: int
) -> None:
    tried_twice.record_progress(progress, 100)
    tried_twice.fail("Source answered 404 Not Found")
    assert page_of(operator, tried_twice).count("<progress") == bars
