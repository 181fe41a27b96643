from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.models import Task

from .pages import LIST, LIST_QUERIES, InlineCode, Make, changelist, html_of, listed

# The dashboard's: numbers, newest attempts, and the six of health.look().
DASHBOARD_QUERIES = 9


@pytest.mark.parametrize("number", [1, 30])
def test_the_first_page_takes_as_many_queries_whatever_its_length(
    operator: Client,
    make_task: Make,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(number):
        make_task()
    with django_assert_num_queries(LIST_QUERIES):
        assert len(listed(operator)) == number
    with django_assert_num_queries(LIST_QUERIES + DASHBOARD_QUERIES):
        assert len(listed(operator, overview="1")) == number
    with django_assert_num_queries(LIST_QUERIES) as queries:
        assert len(listed(operator, status__exact="pending")) == number
    sql = queries[-1]["sql"]
    assert "COUNT" not in sql
    assert "DISTINCT" not in sql
    assert "result" not in sql


def test_the_newest_task_is_first(operator: Client, make_task: Make) -> None:
    for number in range(3):
        make_task(name=f"task {number}", created_at=now() + timedelta(seconds=number))
    assert listed(operator) == ["task 2", "task 1", "task 0"]


@pytest.fixture
def mixed(make_task: Make) -> None:
    start = now() - timedelta(minutes=5)
    for number, (owner, is_running) in enumerate([("b", True), ("a", False), ("b", False)]):
        created_at = start + timedelta(seconds=number)
        task = make_task(name=str(number), owner=owner, created_at=created_at)
        if is_running:
            task.start("worker")


@pytest.mark.parametrize(
    ("column", "ascending"),
    [("created", "012"), ("badge", "120"), ("whose", "102")],
)
def test_a_column_sorts_up_and_down(
    operator: Client, mixed: None, column: str, ascending: str
) -> None:
    number = changelist(operator).list_display.index(column)
    assert "".join(listed(operator, o=f"{number}")) == ascending
    assert "".join(listed(operator, o=f"-{number}")) == ascending[::-1]
    assert list(changelist(operator, o=f"-{number}").get_ordering_field_columns()) == [number]


@pytest.mark.parametrize("order", ["", "99", "x", "-", "1"])
def test_an_order_that_is_none_is_newest_first(operator: Client, mixed: None, order: str) -> None:
    assert "".join(listed(operator, o=order)) == "210"


def test_only_the_first_of_several_columns_sorts(operator: Client, mixed: None) -> None:
    columns = changelist(operator).list_display
    owner, created = columns.index("whose"), columns.index("created")
    assert "".join(listed(operator, o=f"{owner}.-{created}")) == "102"


def test_a_task_without_a_name_is_called_by_its_short_id(operator: Client, make_task: Make) -> None:
    pk = "0a1b2c3d-0000-4000-8000-000000000001"
    make_task(pk=pk)
    assert f'title=""></span> <code title="{pk}">0a1b2c3d</code>' in html_of(operator)


@pytest.fixture
def failure(make_task: Make) -> Task:
    task = make_task(name="debian", created_at=now() - timedelta(minutes=9))
    task.start("worker")
    task.record_progress(512, 1024)
    task.fail("Source answered <404>")
    start = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
    Task.objects.update(started_at=start, finished_at=start + timedelta(seconds=72))
    return task


def test_a_row_tells_what_became_of_the_task(operator: Client, failure: Task) -> None:
    page = html_of(operator)
    for text in (
        '<span class="task-status failure"><svg',
        "</svg>failure</span>",
        '<progress max="100" value="50" aria-label="Progress of debian"></progress>',
        "512 bytes of 1.0 KiB",
        '<span class="task-percent" title=',
        ">50 %</span>",
        ">9\xa0minutes ago</time>",
        "took 1 min 12 s",
        '<span class="task-message" title="Source answered &lt;404&gt;">'
        "Source answered &lt;404&gt;</span>",
    ):
        assert text in page


def test_a_page_has_no_inline_code(operator: Client, failure: Task, make_task: Make) -> None:
    make_task().start("worker")
    assert InlineCode("<p style=x onclick=y><script>").found == ["style", "onclick", "script"]
    assert InlineCode(html_of(operator)).found == []


def test_times_are_told_in_the_readers_language(operator: Client, failure: Task) -> None:
    with translation.override("de"):
        assert "9\xa0Minuten" in html_of(operator)


def test_expired_tasks_are_listed_and_marked(operator: Client, make_task: Make) -> None:
    make_task(name="expired", expires_at=now() - timedelta(days=1))
    assert listed(operator) == ["expired"]
    assert ">expired</span>" in html_of(operator)


def test_a_task_that_nobody_looks_after_is_marked(operator: Client, make_task: Make) -> None:
    make_task(lease_expires_at=now() + timedelta(minutes=1))
    assert ">stuck</span>" not in html_of(operator)
    Task.objects.update(lease_expires_at=now() - timedelta(seconds=1))
    assert ">stuck</span>" in html_of(operator)


def test_no_more_of_a_message_is_read_than_a_line_can_tell(
    operator: Client, make_task: Make
) -> None:
    make_task(message="x" * 10_000)
    assert "x" * 500 + "…" in html_of(operator)
    assert "x" * 501 not in html_of(operator)


def test_the_list_needs_its_permission(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(LIST).status_code == 403


def test_the_table_has_headers(operator: Client, make_task: Make) -> None:
    make_task()
    head = html_of(operator).partition('id="result_list"')[2].partition("</thead>")[0]
    assert head.count('scope="col"') == len(changelist(operator).list_display)


def test_a_host_may_choose_the_order(
    operator: Client, mixed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_image_tasks.admin import TaskAdmin

    monkeypatch.setattr(TaskAdmin, "ordering", ["owner"])
    assert "".join(listed(operator)) == "102"
