from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils.timezone import now
from hypothesis import example, given, settings
from hypothesis import strategies as st

from django_image_tasks.admin import bounded, filters
from django_image_tasks.models import Task

from .pages import LIST, Make, changelist, html_of, listed

PARAMETERS = [
    *("status__exact", "status__in", "status__isnull", "status", "type", "type__in", "created"),
    *("attention", "o", "q", "after", "before", "p", "all", "e", "_popup", "_facets", "_to_field"),
    *("name__regex", "created_at__year", "expires_at__lt", "pk__in", "id", "input__a", "result"),
    *("history__message", "history__task__name", "retried", "retry_of", "message__search", "x", ""),
]
VALUES = [
    *("", "0", "-1", "1", "9" * 5_000, "-9", "1.2.3", "(", "(a+)+$", "99999999999", "2026-13-01"),
    *("\0", "a\0", "\ud800", "\U0010ffff", "x" * 20_000, "%", "'", "failure", "stuck", "week"),
    *("1e5b0c1c000040008000000000000000", "1e5b", "id", "import", "None", "True"),
]


def test_by_status(operator: Client, make_task: Make) -> None:
    make_task(name="waiting")
    make_task(name="running").start("worker")
    assert listed(operator, status__exact="processing") == ["running"]


def test_by_registered_type(operator: Client, make_task: Make, settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None, "export": None}}
    make_task(name="in")
    make_task(name="out", type="export")
    assert listed(operator, type="export") == ["out"]
    assert 'href="?type=export"' in html_of(operator)


def test_by_whether_they_are_retried(operator: Client, make_task: Make) -> None:
    for retry in ("pending", "success", "failure"):
        failed = make_task(name=f"retry: {retry}", status="failure")
        make_task(name="retry", status=retry, retry_of=failed.pk)

    assert listed(operator, retried="yes") == ["retry: success", "retry: pending"]
    assert listed(operator, retried="no") == ["retry", "retry: failure"]
    assert html_of(operator).count(">retried</span>") == 2


def test_whether_they_are_retried_is_asked_of_the_newest_alone(
    operator: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "MOST_FAILURES", 2)
    for name, minutes in {"third": 3, "second": 2, "first": 1}.items():
        make_task(name=name, status="failure", created_at=now() - timedelta(minutes=minutes))
    assert listed(operator, retried="no") == ["first", "second"]
    assert "Only the newest 2 failures are looked at." in html_of(operator, retried="no")
    assert "Only the newest" not in html_of(operator)


@pytest.mark.parametrize(
    ("created", "names"),
    [
        ("hour", ["minutes"]),
        ("day", ["minutes", "hours"]),
        ("week", ["minutes", "hours", "days"]),
        ("ever", ["minutes", "hours", "days", "months"]),
    ],
)
def test_by_age(operator: Client, make_task: Make, created: str, names: list[str]) -> None:
    for name, age in {
        "minutes": timedelta(minutes=59),
        "hours": timedelta(hours=23),
        "days": timedelta(days=6),
        "months": timedelta(days=60),
    }.items():
        make_task(name=name, created_at=now() - age)
    assert listed(operator, created=created) == names


def test_stuck_tasks(operator: Client, make_task: Make) -> None:
    make_task(name="waits")
    for name in ("forgotten", "lost", "finished"):
        make_task(name=name)
    past = now() - timedelta(seconds=1)
    for name in ("lost", "finished"):
        Task.objects.get(name=name).start("worker")
    Task.objects.get(name="finished").fail("")
    Task.objects.exclude(name="waits").update(lease_expires_at=past)
    assert sorted(listed(operator, attention="stuck")) == ["forgotten", "lost"]


@pytest.mark.parametrize(
    ("attention", "names"),
    [
        ("expiring", ["today"]),
        ("expired", ["yesterday"]),
        ("nothing", ["never", "next week", "today", "yesterday"]),
    ],
)
def test_by_expiry(operator: Client, make_task: Make, attention: str, names: list[str]) -> None:
    make_task(name="never")
    make_task(name="next week", expires_at=now() + timedelta(days=7))
    make_task(name="today", expires_at=now() + timedelta(hours=23))
    make_task(name="yesterday", expires_at=now() - timedelta(hours=1))
    assert sorted(listed(operator, attention=attention)) == names


def test_attention_goes_first_to_what_is_longest_overdue(
    operator: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a long queue hides no lost worker."""
    monkeypatch.setattr(bounded, "MOST_MATCHES", 2)
    for minutes in (1, 2, 3):
        make_task(name=f"queued {minutes}", lease_expires_at=now() - timedelta(minutes=minutes))
    make_task(name="lost").start("worker")
    Task.objects.filter(name="lost").update(lease_expires_at=now())
    assert sorted(listed(operator, attention="stuck")) == ["lost", "queued 2", "queued 3"]
    assert "Only the first 2 matches are shown." in html_of(operator, attention="stuck")


def test_filters_combine(operator: Client, make_task: Make) -> None:
    make_task(name="old", created_at=now() - timedelta(days=2))
    make_task(name="new")
    make_task(name="new and running").start("worker")
    assert listed(operator, created="day", status__exact="pending") == ["new"]


@pytest.mark.parametrize(
    "query",
    [
        "name__regex=(a%2B)%2B%24",
        "name__regex=(",
        "created_at__year=99999999999",
        "created_at__gte=x",
    ]
    + [
        "status__in=success",
        "status__exact=x",
        "status__isnull=1",
        "type=x",
        "created=x",
        "owner=x",
    ]
    + ["input__a=1", "name=x", "pk=x", "attention=x"],
)
def test_a_filter_that_is_none_is_ignored(operator: Client, make_task: Make, query: str) -> None:
    make_task(name="a" * 40 + "!")
    assert listed(operator, f"?{query}") == ["a" * 40 + "!"]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(VALUES)), max_size=4))
@example([("status__exact", "x")] * 900)
@example([("name__in", "x")] * 900)
@example([("type", "\0"), ("q", "\0"), ("after", "\0"), ("status__exact", "\0")])
def test_whatever_the_query_is_there_is_no_error(
    operator: Client, make_task: Make, query: list[tuple[str, str]]
) -> None:
    """An exception that nobody caught reaches this test through the client."""
    make_task()
    response = operator.get(f"{LIST}?{urlencode(query, errors='surrogatepass')}")
    assert response.status_code in (200, 302, 400)


def test_no_filter_reads_the_table(
    operator: Client, make_task: Make, django_assert_max_num_queries: Any
) -> None:
    make_task()
    with django_assert_max_num_queries(8) as queries:
        changelist(operator, attention="stuck", created="day", type="import")
    assert not [query for query in queries if "DISTINCT" in query["sql"]]
