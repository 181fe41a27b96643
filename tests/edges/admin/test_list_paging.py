from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.admin import TaskAdmin, bounded
from django_image_tasks.models import Task

from .pages import LIST, LIST_QUERIES, Make, changelist, html_of, listed

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 23


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskAdmin, "list_per_page", 4)


@pytest.fixture
def rows(db: None) -> None:
    """Two at a time were made in the same moment."""
    Task.objects.bulk_create(
        Task(
            name=str(number),
            type="import",
            owner="ab"[number % 2],
            status=["pending", "processing"][number % 3 == 0],
            created_at=START + timedelta(seconds=number // 2),
        )
        for number in range(ROWS)
    )


def walk(client: Client, step: str, query: str) -> Iterator[list[UUID]]:
    while query is not None:
        page = changelist(client, query)
        yield [task.pk for task in page.result_list]
        query = getattr(page, step)


@pytest.mark.parametrize("column", ["created", "badge", "whose"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_the_pages_hold_each_task_once_in_order(
    operator: Client, rows: None, column: str, direction: str
) -> None:
    number = changelist(operator).list_display.index(column)
    pages = list(walk(operator, "next", f"?o={direction}{number}"))
    assert [len(page) for page in pages] == [4, 4, 4, 4, 4, 3]
    name = {"created": "created_at", "badge": "status", "whose": "owner"}.get(column, column)
    ordering = [f"{direction}{key}" for key in dict.fromkeys([name, "created_at", "id"])]
    expected = list(Task.objects.order_by(*ordering).values_list("pk", flat=True))
    assert [pk for page in pages for pk in page] == expected


def test_the_way_back_meets_the_same_pages(operator: Client, rows: None) -> None:
    pages = list(walk(operator, "next", ""))
    last = changelist(operator, f"?after={pages[-2][-1]}")
    assert list(walk(operator, "previous", last.previous)) == pages[-2::-1]
    assert last.next is None


def test_a_whole_last_page_leads_to_no_empty_one(operator: Client, make_task: Make) -> None:
    for number in range(8):
        make_task(created_at=START + timedelta(seconds=number))
    assert [len(page) for page in walk(operator, "next", "")] == [4, 4]


def test_links_keep_filters_search_and_order(operator: Client, rows: None) -> None:
    number = changelist(operator).list_display.index("created")
    query = f"?status__exact=pending&q=a&o={number}&created=&"
    first = changelist(operator, query)
    second = changelist(operator, first.next)
    assert [task.owner for task in second.result_list] == ["a"] * len(second.result_list)
    assert second.params == first.params | {"created": ""}
    assert second.first == first.get_query_string()
    assert 'name="after"' not in html_of(operator, after=str(first.result_list[0].pk))
    assert first.previous is None
    assert first.first is None


def test_a_page_behind_a_marker_takes_two_queries_more(
    operator: Client, rows: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """One for the marker's values, one for the capped count."""
    marker = Task.objects.earliest("created_at", "id")
    second = changelist(operator).next
    with django_assert_num_queries(LIST_QUERIES + 2) as queries:
        changelist(operator, second)
    assert all("OFFSET" not in query["sql"] for query in queries)
    assert listed(operator, after=str(marker.pk)) == []


@pytest.mark.parametrize("parameter", ["after", "before"])
@pytest.mark.parametrize("marker", ["x", str(UUID(int=7)), "%00"])
def test_a_marker_that_is_gone_gives_the_first_page_and_says_so(
    operator: Client, rows: None, parameter: str, marker: str
) -> None:
    response = operator.get(f"{LIST}?{parameter}={marker}")
    page = response.context["cl"]
    assert [task.pk for task in page.result_list] == next(walk(operator, "next", ""))
    assert page.previous is None
    assert page.next
    assert "is gone. This is the first page." in response.content.decode()


@pytest.mark.parametrize("page", ["0", "9", "x", ""])
def test_there_are_no_numbered_pages(operator: Client, rows: None, page: str) -> None:
    assert listed(operator, p=page) == listed(operator)


def test_few_tasks_are_counted(operator: Client, rows: None) -> None:
    assert f"<span>{ROWS} tasks</span>" in html_of(operator)
    assert "<span>1 task</span>" in html_of(operator, q=str(Task.objects.latest("id").pk))


def test_many_tasks_are_counted_no_further_than_the_cap(
    operator: Client, rows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_image_tasks.admin.changelist.CAP", 5)
    assert "<span>5+ tasks</span>" in html_of(operator)
    assert changelist(operator).result_count == 4


def test_what_several_filters_leave_is_counted_less_far(
    operator: Client, rows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_image_tasks.admin.changelist.CAP_OF_SEVERAL", 5)
    assert f"<span>{ROWS} tasks</span>" in html_of(operator, type="import")
    assert "<span>5+ tasks</span>" in html_of(operator, type="import", status__exact="pending")


def test_a_number_at_the_cap_is_exact_and_one_above_is_not() -> None:
    assert [bounded.shown(number) for number in (0, 9_999, 10_000, 10_001)] == [
        "0",
        "9,999",
        "10,000",
        "10,000+",
    ]


def test_a_popup_pages_as_a_popup(operator: Client, rows: None) -> None:
    assert "_popup=1" in changelist(operator, _popup="1").next
