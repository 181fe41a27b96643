"""Changes of one task at the same moment: one of them wins, and the others change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from django_image_tasks import claims, executor
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.models import Attempt, Task
from django_image_tasks.signals import task_finished
from django_image_tasks.sweep import purge, sweep
from tests.engine import workload
from tests.requirements import needs

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = object()
rounds = pytest.mark.parametrize("round", range(10))


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returns; REFUSED where it raises InvalidTransition."""
    barrier = Barrier(len(calls))

    def start(call: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        barrier.wait()
        try:
            return call()
        except InvalidTransition:
            return REFUSED
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


def claim_and_let_lease_run_out(task: Task) -> Task:
    claimed = claims.claim(task.pk)
    past = timezone.now() - timedelta(seconds=1)
    Task.objects.filter(pk=task.pk).update(lease_expires_at=past)
    return claimed


@pytest.fixture
def finishes() -> Iterator[Any]:
    heard = []

    def hear(task, **kwargs):
        heard.append(task.status)

    task_finished.connect(hear)
    yield heard
    task_finished.disconnect(hear)


@rounds
def test_a_cancel_against_a_success(
    make_task: Callable[..., Task], finishes: Any, round: Any
) -> None:
    task = make_task()
    claimed, other = claims.claim(task.pk), Task.objects.get(pk=task.pk)

    succeeded, cancelled = at_once(lambda: claimed.succeed({}), lambda: other.cancel("mia"))
    if succeeded is REFUSED:
        claimed.carry_out_cancel()

    task.refresh_from_db()
    assert (succeeded is REFUSED) != (cancelled is REFUSED)
    end = ("failure", None) if succeeded is REFUSED else ("success", {})
    assert (task.status, task.result) == end
    assert [attempt.outcome for attempt in task.history.all()] == [end[0]]
    assert finishes == [end[0]]


@rounds
def test_a_cancel_against_a_whole_run(
    make_task: Callable[..., Task], finishes: Any, round: Any
) -> None:
    task = make_task()

    _, cancelled = at_once(
        lambda: executor.run(task.pk), lambda: Task.objects.get(pk=task.pk).cancel("mia")
    )

    task.refresh_from_db()
    end = ("success", "") if cancelled is REFUSED else ("failure", "Cancelled by mia")
    assert (task.status, task.message) == end
    assert finishes == [end[0]]
    assert task.history.filter(ended_at=None).count() == 0


@rounds
def test_a_sweep_against_a_renewal(make_task: Callable[..., Task], round: Any) -> None:
    task = make_task()
    claimed = claim_and_let_lease_run_out(task)

    renewed, swept = at_once(lambda: claimed.record_progress(1, 2), sweep)

    task.refresh_from_db()
    assert swept.recovered == (1 if renewed is REFUSED else 0)
    assert (task.status, task.attempts) == (
        ("success", 2) if renewed is REFUSED else ("processing", 1)
    )


@rounds
def test_two_sweeps_at_once_run_each_lost_task_once(
    make_task: Callable[..., Task], round: Any
) -> None:
    tasks = [make_task() for _ in range(10)]
    for task in tasks:
        claim_and_let_lease_run_out(task)

    first, second = at_once(sweep, sweep)

    assert first.recovered + second.recovered == len(tasks)
    assert sorted(workload.runs) == sorted((str(task.pk), 2) for task in tasks)
    assert set(Task.objects.values_list("status", "attempts")) == {("success", 2)}


@rounds
def test_two_sweeps_at_once_tell_of_each_end_once(
    make_task: Callable[..., Task], finishes: Any, round: Any
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    for _ in range(20):
        make_task(status="success", announce_at=past)

    at_once(sweep, sweep)

    assert finishes == ["success"] * 20


def test_two_purges_at_once_count_each_task_once() -> None:
    now = timezone.now()
    common = {"type": "workload", "owner": "1", "status": "success", "finished_at": now}
    tasks = Task.objects.bulk_create(Task(expires_at=now, **common) for _ in range(300))
    Attempt.objects.bulk_create(Attempt(task=task, number=1, started_at=now) for task in tasks)

    first, second = at_once(purge, purge)

    assert first + second == 300
    assert Task.objects.count() == 0


@rounds
def test_twenty_claims_at_once_run_a_task_once(make_task: Callable[..., Task], round: Any) -> None:
    task = make_task()

    at_once(*[lambda: executor.run(task.pk)] * 20)

    assert workload.runs == [(str(task.pk), 1)]
    assert [attempt.outcome for attempt in task.history.all()] == ["success"]


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
@rounds
def test_claims_beside_sweeps_and_purges_are_lost_to_no_lock(
    make_task: Callable[..., Task],
    image_tasks: Any,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    round: Any,
) -> None:
    if connection.vendor != "sqlite":
        name = level.replace(" ", "_").upper()
        postgresql = connection.vendor == "postgresql"
        isolation = needs("psycopg").IsolationLevel[name] if postgresql else level
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "isolation_level", isolation)
    monkeypatch.setattr("django_image_tasks.sweep.SECOND_LOOK", 0)
    image_tasks["ENGINE"] = "tests.engine.workload"
    for _ in range(10):
        claim_and_let_lease_run_out(make_task())
        make_task(turn=1, lease_expires_at=None)
        make_task(status="failure", expires_at=timezone.now() - timedelta(seconds=1))

    def claim_all() -> list[Task]:
        return [*iter(lambda: claims.claim_next(timedelta(minutes=1)), None)]

    *_, first, second = at_once(claim_all, claim_all, purge, sweep, sweep)
    claim_all()

    assert first.recovered + second.recovered == 10
    attempts = Task.objects.order_by("attempts").values_list("status", "attempts")
    assert [*attempts] == [("processing", 1)] * 10 + [("processing", 2)] * 10


def test_a_purge_beside_a_walk_through_the_list_takes_no_task_from_it() -> None:
    user = User.objects.create_user("dana")
    now = timezone.now()
    common = {"type": "workload", "owner": str(user.pk), "status": "success", "finished_at": now}
    expiries = [now + timedelta(hours=hours) for hours in (1, -1)] * 150
    Task.objects.bulk_create(Task(expires_at=expires_at, **common) for expires_at in expiries)
    client = Client()
    client.force_login(user)

    def walk():
        seen, url = [], "/v2/tasks?limit=7"
        while url:
            page = client.get(url).json()
            seen += [task["id"] for task in page["tasks"]]
            url = page.get("next")
        return seen

    seen, purged = at_once(walk, purge)

    assert purged == 150
    assert sorted(seen) == sorted(str(pk) for pk in Task.objects.values_list("pk", flat=True))
    assert len(seen) == 150
