from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.admin import TaskAdmin
from django_image_tasks.models import Task

Make = Callable[..., Task]

LIST = "/admin/django_image_tasks/task/"
# Session, user, and for who is no superuser the two lookups of permissions.
LOGIN = 4


def listed(client: Client, **query: str) -> list[str]:
    response = client.get(LIST, query)
    assert response.status_code == 200
    return [task.name for task in response.context["cl"].result_list]


def page_of(client: Client, task: Task) -> str:
    response = client.get(reverse("admin:django_image_tasks_task_change", args=[task.pk]))
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def three(make_task: Make) -> None:
    for number in range(3):
        make_task(name=f"task {number}", created_at=now() + timedelta(seconds=number))


def test_the_newest_task_is_first(operator: Client, three: None) -> None:
    assert listed(operator) == ["task 2", "task 1", "task 0"]


def test_expired_tasks_are_listed(operator: Client, make_task: Make) -> None:
    make_task(name="expired", expires_at=now() - timedelta(days=1))
    assert listed(operator) == ["expired"]


@pytest.mark.parametrize("number", [1, 30])
def test_the_list_takes_one_query_whatever_its_length(
    operator: Client,
    make_task: Make,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(number):
        make_task()
    with django_assert_num_queries(LOGIN + 1) as queries:
        assert len(listed(operator)) == number
    sql = queries[-1]["sql"]
    assert "COUNT" not in sql
    assert "DISTINCT" not in sql
    assert "result" not in sql


def test_pages_lead_to_each_other(
    operator: Client, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskAdmin, "list_per_page", 2)
    first = operator.get(LIST, {"status__exact": "pending"}).context["cl"]
    assert (first.newer, first.older) == (False, "?p=2&status__exact=pending")
    second = operator.get(LIST + first.older).context["cl"]
    assert [task.name for task in second.result_list] == ["task 0"]
    assert (second.newer, second.older) == ("?p=1&status__exact=pending", False)


@pytest.mark.parametrize("page", ["0", "-1", "x", ""])
def test_a_page_that_is_none_is_the_first(operator: Client, three: None, page: str) -> None:
    assert listed(operator, p=page) == ["task 2", "task 1", "task 0"]


def test_a_page_beyond_the_last_is_empty(operator: Client, three: None) -> None:
    assert listed(operator, p="9") == []


def test_the_list_filters_by_status(operator: Client, make_task: Make) -> None:
    make_task(name="waiting")
    make_task(name="running").start("worker")
    assert listed(operator, status__exact="processing") == ["running"]


def test_the_list_filters_by_registered_type(
    operator: Client, make_task: Make, settings: Any
) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None, "export": None}}
    make_task(name="in")
    make_task(name="out", type="export")
    assert listed(operator, type="export") == ["out"]


@pytest.mark.parametrize(
    "term",
    [
        "0a1b2c3d-0000-4000-8000-000000000001",
        "0A1B2C3D000040008000000000000001",
        "somebody",
        "Debian",
        "  Debian 13  ",
    ],
)
def test_search_finds_an_id_an_owner_and_the_beginning_of_a_name(
    operator: Client, make_task: Make, term: str
) -> None:
    make_task(name="another")
    make_task(
        pk="0a1b2c3d-0000-4000-8000-000000000001", owner="somebody", name="Debian 13 (trixie)"
    )
    assert listed(operator, q=term) == ["Debian 13 (trixie)"]


@pytest.mark.parametrize("term", ["0a1b2c3d", "some", "trixie", "%"])
def test_search_finds_no_other_parts(operator: Client, make_task: Make, term: str) -> None:
    make_task(
        pk="0a1b2c3d-0000-4000-8000-000000000001", owner="somebody", name="Debian 13 (trixie)"
    )
    assert listed(operator, q=term) == []


def test_a_task_is_shown_with_its_attempts(operator: Client, make_task: Make) -> None:
    task = make_task(input={"import_from": "https://example.org/<image>"})
    task.start("worker 1")
    task.try_again("Connection refused", at=now())
    task.start("worker 2")
    task.succeed({"name": "käse"})
    with CaptureQueriesContext(connection) as queries:
        page = page_of(operator, task)
    assert sum("django_image_tasks_" in query["sql"] for query in queries) == 2
    for text in (
        "{\n  &quot;import_from&quot;: &quot;https://example.org/&lt;image&gt;&quot;\n}",
        "{\n  &quot;name&quot;: &quot;käse&quot;\n}",
        '<span class="task-status success">success</span>',
        "100 %",
        "worker 1",
        "to be tried again",
        "Connection refused",
        "worker 2",
    ):
        assert text in page


def test_a_task_without_a_result_shows_none(operator: Client, make_task: Make) -> None:
    result = page_of(operator, make_task()).partition("field-pretty_result")[2]
    assert '<div class="readonly">-</div>' in result.partition("field-image_id")[0]


def test_a_task_cannot_be_changed(admin_client: Client, make_task: Make) -> None:
    task = make_task(name="as it was")
    page = page_of(admin_client, task)
    assert "<textarea" not in page
    assert 'name="_save"' not in page
    url = reverse("admin:django_image_tasks_task_change", args=[task.pk])
    assert admin_client.post(url, {"name": "changed"}).status_code == 403
    task.refresh_from_db()
    assert task.name == "as it was"


def test_a_task_cannot_be_added_or_deleted(admin_client: Client, make_task: Make) -> None:
    task = make_task()
    assert admin_client.get(reverse("admin:django_image_tasks_task_add")).status_code == 403
    url = reverse("admin:django_image_tasks_task_delete", args=[task.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert Task.objects.filter(pk=task.pk).exists()


def test_the_admin_needs_its_permission(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(LIST).status_code == 403
