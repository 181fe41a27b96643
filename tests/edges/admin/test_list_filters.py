from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from django_image_tasks.admin import window
from django_image_tasks.models import Task

from .pages import Make, changelist, html_of, listed


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
    monkeypatch.setattr(window, "WINDOW", 2)
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


def test_a_filter_that_is_none_leads_back_to_the_list(operator: Client, db: None) -> None:
    response = operator.get("/admin/django_image_tasks/task/?created_at__gte=x")
    assert response.status_code == 302
    assert operator.get(response["Location"]).status_code == 200


def test_no_filter_reads_the_table(
    operator: Client, make_task: Make, django_assert_max_num_queries: Any
) -> None:
    make_task()
    with django_assert_max_num_queries(7) as queries:
        changelist(operator, attention="stuck", created="day", type="import")
    assert not [query for query in queries if "DISTINCT" in query["sql"]]
