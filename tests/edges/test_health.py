"""What is said of the whole system, on the admin's pages and in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks import health
from django_image_tasks.health import Level
from django_image_tasks.models import Attempt, LastSweep, Task
from tests.edges.commands import image_tasks

Make = Callable[..., Task]


@pytest.fixture
def swept(db: None) -> LastSweep:
    moment = now() - timedelta(seconds=8)
    return LastSweep.objects.create(pk=1, ran_at=moment, sweeper="host:7", ticket_at=moment)


@pytest.fixture
def make_due(make_task: Make) -> Make:
    """A task that has waited for its turn for so long."""

    def make(ago: timedelta = timedelta(), **values: Any) -> Task:
        task = make_task(**values)
        task.wait_for_turn()
        Task.objects.filter(pk=task.pk).update(updated_at=now() - ago)
        return task

    return make


def started(ago: timedelta) -> None:
    Attempt.objects.update(started_at=now() - ago)


def test_all_is_well_where_nothing_waits(swept: LastSweep) -> None:
    seen = health.look()
    assert (seen.level, seen.reasons) == (Level.WELL, [])
    assert (seen.due, seen.next, seen.running, seen.failed) == (0, None, [], 0)


def test_nothing_runs_where_tasks_are_due_and_none_is_started(
    swept: LastSweep, make_due: Make
) -> None:
    make_due(timedelta(minutes=4))
    make_due()
    seen = health.look()
    assert seen.level == Level.NOTHING_RUNS
    assert seen.reasons == ["Nothing was started for 4 min 0 s while 2 tasks are due."]


def test_a_start_counts_even_of_what_has_ended(
    swept: LastSweep, make_due: Make, make_task: Make
) -> None:
    ended = make_task()
    ended.start("worker")
    ended.fail("no")
    make_due(timedelta(minutes=10))
    assert health.look().level == Level.DEGRADED
    started(timedelta(minutes=5))
    assert health.look().reasons == ["Nothing was started for 5 min 0 s while 1 task is due."]


def test_busy_workers_are_no_standstill(swept: LastSweep, make_due: Make, make_task: Make) -> None:
    make_task().start("worker")
    started(timedelta(hours=2))
    make_due(timedelta(minutes=10))
    seen = health.look()
    assert seen.level == Level.DEGRADED
    assert "the workers are busy" in seen.reasons[0]
    Task.objects.filter(status="processing").update(lease_expires_at=now())
    assert health.look().level == Level.NOTHING_RUNS


def test_a_task_that_must_wait_is_not_due(swept: LastSweep, make_due: Make) -> None:
    task = make_due(timedelta(minutes=9))
    Task.objects.update(available_at=now() - timedelta(seconds=1))
    assert health.look().level == Level.WELL
    assert health.look().next.pk == task.pk  # type: ignore[union-attr]


def test_silent_and_lost_workers_are_told_before_the_sweep_sees_to_them(
    swept: LastSweep, make_task: Make
) -> None:
    task = make_task()
    task.start("host:4711:attempt")
    assert health.look().level == Level.WELL
    Task.objects.update(lease_expires_at=now() + timedelta(seconds=10))
    seen = health.look()
    assert seen.reasons == ["Worker host:4711 has been silent for 20 s."]
    assert [[each.pk for each in tasks] for tasks in seen.workers.values()] == [[task.pk]]
    Task.objects.update(lease_expires_at=now() - timedelta(seconds=1))
    assert health.look().reasons == ["The worker of 1 task is lost."]


def test_a_worker_that_was_heard_of_by_one_task_is_not_silent(
    swept: LastSweep, make_task: Make
) -> None:
    silent, heard = make_task(), make_task()
    silent.start("host:4711:a")
    heard.start("host:4711:b")
    Task.objects.filter(pk=silent.pk).update(lease_expires_at=now() + timedelta(seconds=10))
    assert not health.look().reasons
    Task.objects.update(lease_expires_at=now() + timedelta(seconds=10))
    assert health.look().reasons == ["Worker host:4711 has been silent for 20 s."]


def test_the_sweep_is_missed(db: None) -> None:
    assert health.look().reasons == ["No sweep has ever run."]
    moment = now() - timedelta(minutes=12)
    LastSweep.objects.create(pk=1, ran_at=moment, sweeper="host:7", ticket_at=moment)
    seen = health.look()
    assert (seen.level, seen.reasons) == (Level.DEGRADED, ["The last sweep ran 12 min 0 s ago."])


def test_owners_are_counted_the_largest_first(
    swept: LastSweep, make_due: Make, make_task: Make
) -> None:
    for owner in ("a", "b", "b"):
        make_due(owner=owner)
        make_task(owner=owner).start("worker")
    seen = health.look()
    assert seen.waiting == [("b", 2), ("a", 1)]
    assert seen.running_by_owner == [("b", 2), ("a", 1)]
    assert seen.due == 3


def test_recent_failures_are_counted(swept: LastSweep, make_task: Make) -> None:
    for ago in (1, 59, 61):
        moment = now() - timedelta(minutes=ago)
        make_task(status="failure", finished_at=moment)
    assert health.look().failed == 2


@pytest.mark.parametrize("number", [1, 9])
def test_a_look_takes_six_bounded_queries(
    swept: LastSweep,
    make_due: Make,
    make_task: Make,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(number):
        make_due()
        make_task().start("worker")
    with django_assert_num_queries(6) as queries:
        health.look()
    assert all("LIMIT" in query["sql"] for query in queries)


# Why tasks fail


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Source answered 404 Not Found", "Source answered 503 Not Found"),
        ("a.example.org:443 was silent for 30 s", "b.example.net was silent for 7 s"),
        ("https://a.example/x redirects", "http://10.0.0.7:8080/y?z redirects"),
        ("Lost 0b8fcbd0-1111-4111-8111-0123456789ab", "Lost 9c2d3a1b-6e5f-4d70-8b12-a3f4e5d6c766"),
        ("[::1]:80 is not allowed", "[2001:db8::7]:80 is not allowed"),
    ],
)
def test_messages_are_the_same_but_for_digits_and_addresses(one: str, other: str) -> None:
    assert health.fold(one) == health.fold(other)


@pytest.mark.parametrize("other", ["Declared raw, found qcow2", "Declared vhd, found raw"])
def test_other_words_are_another_failure(other: str) -> None:
    assert health.fold("Declared qcow2, found raw") != health.fold(other)


def test_failures_of_a_day_are_grouped_the_most_frequent_first(make_task: Make) -> None:
    def fail(message: str, **ago: int) -> Task:
        moment = now() - timedelta(**ago)
        return make_task(status="failure", message=message, finished_at=moment)

    fail("Source answered 404 Not Found", hours=3)
    newest = fail("Source answered 503 Not Found", hours=1)
    other = fail("Declared raw, found qcow2", hours=2)
    fail("Source answered 404 Not Found", hours=25)
    first, second = health.failures(Task.objects.all(), now())
    assert (first.number, first.example, first.message) == (2, newest.pk, newest.message)
    assert (second.number, second.ids) == (1, [other.pk])


def test_waiting_and_running_times_are_told_by_type(make_task: Make) -> None:
    end = now() - timedelta(hours=1)
    for seconds in range(1, 21):
        start = end - timedelta(seconds=10 * seconds)
        make_task(
            status="success" if seconds % 2 else "failure",
            attempts=1,
            created_at=start - timedelta(seconds=seconds),
            started_at=start,
            finished_at=end,
        )
    [times] = health.times(Task.objects.all(), now())
    assert (times.type, times.number) == ("import", 20)
    assert (times.waited, times.ran) == (timedelta(seconds=10.5), timedelta(seconds=105))
    assert timedelta(seconds=18.9) < times.waited_95 < timedelta(seconds=19.1)
    assert timedelta(seconds=189) < times.ran_95 < timedelta(seconds=191)


# In the terminal


def test_the_exit_code_is_for_monitoring(swept: LastSweep, make_due: Make) -> None:
    assert image_tasks("status").code == 0
    LastSweep.objects.update(ran_at=now() - timedelta(hours=1))
    assert image_tasks("status").code == 1
    make_due(timedelta(minutes=4))
    ran = image_tasks("status")
    assert ran.code == 2
    assert ran.lines[:2] == [
        "nothing runs",
        "Nothing was started for 4 min 0 s while 1 task is due.",
    ]


def test_people_read_who_waits_for_what(swept: LastSweep, make_due: Make, make_task: Make) -> None:
    make_task(name="debian", owner="ci").start("host:4711:attempt")
    make_due(timedelta(minutes=2), owner="web")
    make_task(status="failure", finished_at=now())
    text = " ".join(image_tasks("status").out.split())
    for told in (
        "well",
        "due 1, the next for 2 min 0 s",
        "waiting web 1",
        "running ci 1",
        "failed 1 within the hour",
        "last start 0 s ago",
        "by host:7",
        "host:4711 debian",
    ):
        assert told in text


def test_programs_read_json(swept: LastSweep, make_due: Make, make_task: Make) -> None:
    running, waiting = make_task(name="debian", owner="ci"), make_due(owner="web")
    running.start("host:4711:attempt")
    [answer] = image_tasks("status", "--json").answers
    assert datetime.fromisoformat(answer["last_sweep"].pop("ran_at"))
    assert datetime.fromisoformat(answer.pop("last_start"))
    assert answer.pop("next_due")["id"] == str(waiting.pk)
    [worker] = answer.pop("workers")
    assert worker["tasks"] == [{"id": str(running.pk), "name": "debian", "owner": "ci"}]
    assert answer == {
        "status": "well",
        "reasons": [],
        "due": 1,
        "waiting": {"web": 1},
        "running": {"ci": 1},
        "failed_last_hour": 0,
        "last_sweep": {"sweeper": "host:7"},
    }


def test_failures_are_counted_in_no_order(db: None) -> None:
    """In that of the admin's list SQLite would look through all failures for those of an hour."""
    with CaptureQueriesContext(connection) as queries:
        health.look(Task.objects.order_by("-created_at"))
    [counting] = [query["sql"] for query in queries if "COUNT" in query["sql"]]
    assert "ORDER BY" not in counting
