"""The numbers for monitoring, and what it costs to read them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks import gauges
from django_image_tasks.models import LastSweep, Task
from tests.big_table import ANALYZE, rows_read

Make = Callable[..., Task]
NOBODY = dict.fromkeys(gauges.AGES, 0)


def make_waiting(make_task: Make, ago: timedelta) -> Task:
    return make_task(turn=1, lease_expires_at=None, created_at=now() - ago)


def test_of_an_empty_database_nothing_is_told_but_that_no_sweep_ran(db: None) -> None:
    seen = gauges.look()
    assert (seen.waiting, seen.oldest, seen.running, seen.lost) == (NOBODY, 0, 0, 0)
    assert set(seen.finished.values()) == {0}
    assert math.isinf(seen.swept)


def test_waiting_tasks_are_counted_by_age(make_task: Make) -> None:
    for minutes in (0, 2, 3, 6, 20, 90, 6_000):
        make_waiting(make_task, timedelta(minutes=minutes))
    make_task(created_at=now() - timedelta(days=9))  # it is not due yet
    seen = gauges.look()
    assert seen.waiting == dict(zip(gauges.AGES, (1, 2, 1, 1, 2), strict=True))
    assert seen.oldest == pytest.approx(6_000 * 60, abs=5)


def test_a_task_from_a_clock_that_is_ahead_is_young(make_task: Make) -> None:
    make_waiting(make_task, timedelta(minutes=-1))
    seen = gauges.look()
    assert (seen.waiting, seen.oldest) == ({**NOBODY, "under_1m": 1}, 0)


def test_running_tasks_are_counted_and_the_lost_ones_among_them(make_task: Make) -> None:
    for seconds in (-1, 9, 10):
        lease = now() + timedelta(seconds=seconds)
        make_task(status="processing", lease_expires_at=lease)
    assert gauges.look()[2:4] == (3, 1)


def test_ends_of_five_minutes_are_counted_by_type_and_status(make_task: Make) -> None:
    for ago, type_, status in (
        (1, "import", "success"),
        (4, "import", "success"),
        (6, "import", "success"),
        (2, "import", "failure"),
        (3, "of old", "failure"),
    ):
        make_task(type_, status=status, finished_at=now() - timedelta(minutes=ago))
    assert gauges.look().finished == {
        ("import", "success"): 2,
        ("other", "success"): 0,
        ("import", "failure"): 1,
        ("other", "failure"): 1,
    }


def test_a_type_may_be_called_as_it_likes(make_task: Make, settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {'a "b" c; --': None, "other": None}}
    make_task('a "b" c; --', status="success", finished_at=now())
    make_task("other", status="success", finished_at=now())
    seen = gauges.look().finished
    assert (seen['a "b" c; --', "success"], seen["other", "success"]) == (1, 1)


def test_the_sweep_has_an_age(db: None) -> None:
    moment = now() - timedelta(seconds=70)
    LastSweep.objects.create(pk=1, ran_at=moment, sweeper="host:7", ticket_at=moment)
    assert gauges.look().swept == pytest.approx(70, abs=5)


@pytest.fixture
def crowd(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every kind of task more than are counted, in a table that planners use indexes of."""
    monkeypatch.setattr(gauges, "MOST", 100)
    monkeypatch.setattr(gauges, "MOST_RUNNING", 100)
    moment = now()
    kinds: list[dict[str, Any]] = [
        {"status": "pending", "turn": 1, "lease_expires_at": None},
        {"status": "processing", "lease_expires_at": moment - timedelta(hours=1)},
        {"status": "success", "finished_at": moment},
        {"status": "failure", "finished_at": moment},
    ]
    Task.objects.bulk_create(
        (Task(type="import", owner=str(n), **kinds[n % 4]) for n in range(4_000)), batch_size=1_000
    )
    with connection.cursor() as cursor:
        cursor.execute(ANALYZE.get(connection.vendor, "ANALYZE"))


def test_no_more_than_the_limit_are_counted(crowd: None) -> None:
    seen = gauges.look()
    assert (sum(seen.waiting.values()), seen.running, seen.lost) == (100, 100, 100)
    assert seen.finished["import", "success"] == seen.finished["import", "failure"] == 100


def test_four_queries_read_no_more_rows_than_they_count(
    crowd: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    gauges.look()
    with django_assert_num_queries(4), CaptureQueriesContext(connection) as queries:
        gauges.look()
    # SQLite's machine takes more steps for a row that is counted in several ways, and MariaDB looks
    # each up again in the table by which it groups them.
    times = {"sqlite": 3, "mysql": 2}.get(connection.vendor, 1)
    for query in queries:
        most = 100 * query["sql"].count("LIMIT 100") * times + 10
        assert rows_read(query["sql"]) <= most, query["sql"]
