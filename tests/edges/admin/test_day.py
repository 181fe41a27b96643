"""The page about the last day's failures and times, and the retry of a group."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks import health
from django_image_tasks.models import Task

from .conftest import Rights
from .pages import LIST, LOGIN, InlineCode, Make, listed, url_of

DAY = LIST + "day/"
GROUP = re.compile(r'<a href="[^"]*[?](failures=[0-9a-f]{12})">(\d+)</a>')


@pytest.fixture
def failed(make_task: Make) -> list[Task]:
    messages = ["Source answered 404", "Source answered 503", "Declared raw, found qcow2"]
    return [
        make_task(
            name=f"task {number}",
            status="failure",
            message=message,
            attempts=1,
            started_at=now() - timedelta(seconds=90),
            finished_at=now() - timedelta(seconds=60 - number),
        )
        for number, message in enumerate(messages)
    ]


def page_of(client: Client) -> str:
    response = client.get(DAY)
    assert response.status_code == 200
    return response.content.decode()


def test_failures_are_grouped_and_lead_to_their_tasks(operator: Client, failed: list[Task]) -> None:
    page = page_of(operator)
    groups = GROUP.findall(page)
    assert [number for _, number in groups] == ["2", "1"]
    assert f'<a href="{url_of(failed[1])}">Source answered 503</a>' in page
    assert sorted(listed(operator, "?" + groups[0][0])) == ["task 0", "task 1"]
    assert listed(operator, "?" + groups[1][0]) == ["task 2"]
    assert InlineCode(page).found == []


def test_a_group_is_retried_after_a_question(user_with: Rights, failed: list[Task]) -> None:
    chief = user_with("view_task", "change_task", "add_task")
    page = page_of(chief)
    key, _ = GROUP.findall(page)[0]
    assert f'action="{LIST}?{key}"' in page
    data = {
        "action": "retry_selected",
        "select_across": "1",
        "_selected_action": str(failed[1].pk),
    }
    assert "Retry 2 tasks?" in chief.post(f"{LIST}?{key}", data).content.decode()
    chief.post(f"{LIST}?{key}", data | {"_confirmed": "yes"})
    retried = Task.objects.exclude(retry_of=None).values_list("retry_of", flat=True)
    assert {*retried} == {failed[0].pk, failed[1].pk}


def test_who_may_not_retry_is_offered_none(user_with: Rights, failed: list[Task]) -> None:
    assert "Retry this group" not in page_of(user_with("view_task"))
    assert user_with("add_task").get(DAY).status_code == 403


def test_times_are_told(operator: Client, failed: list[Task]) -> None:
    page = page_of(operator)
    row = page.partition('<th scope="row">import</th>')[2].partition("</tr>")[0]
    assert re.findall("<td[^>]*>(.*?)</td>", row) == ["3", "0 s", "0 s", "31 s", "31 s"]


def test_a_quiet_day_is_told_in_words(operator: Client, db: None) -> None:
    page = page_of(operator)
    assert "Nothing failed within a day." in page
    assert "Nothing finished in this time." in page


def test_a_reason_that_is_gone_finds_nothing(operator: Client, failed: list[Task]) -> None:
    assert listed(operator, failures="0" * 12) == []


def test_the_page_takes_three_bounded_queries(
    operator: Client, failed: list[Task], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(LOGIN + 3) as queries:
        page_of(operator)
    own = [query["sql"] for query in queries if "finished_at" in query["sql"]]
    assert len(own) == 3
    assert all("LIMIT" in sql for sql in own)


def test_it_says_where_it_stopped_counting(
    operator: Client, failed: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MOST_RUNNING", 3)
    monkeypatch.setattr(health, "LARGEST", 1)
    page = page_of(operator)
    assert "Of more than 1,000 failures the newest 1,000 are counted." in page
    assert "1 other failed for yet another reason." in page
