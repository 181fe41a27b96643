from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from django_image_tasks import engines, executor
from django_image_tasks.engines import immediate
from django_image_tasks.management.commands import image_tasks
from django_image_tasks.models import Attempt, Task
from django_image_tasks.sweep import BATCH, purge, sweep, sweep_every
from tests.engine import workload

PAST = timedelta(seconds=1)


def overdue(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(lease_expires_at=timezone.now() - PAST)


@pytest.fixture
def expired(make_task: Callable[..., Task]) -> Any:
    def make(count: int = 1) -> None:
        now = timezone.now()
        Task.objects.bulk_create(
            Task(
                type="workload", owner="1", status="success", finished_at=now, expires_at=now - PAST
            )
            for _ in range(count)
        )

    return make


@pytest.fixture
def broker_away(monkeypatch: pytest.MonkeyPatch) -> Any:
    def refuse(task_id):
        raise ConnectionRefusedError

    monkeypatch.setattr(immediate, "enqueue", refuse)
    return monkeypatch


def test_a_task_whose_worker_died_is_run_again(make_task: Callable[..., Task]) -> None:
    task = make_task()
    executor.claim(task.pk)
    overdue(task)

    swept = sweep()

    task.refresh_from_db()
    assert (swept.recovered, swept.enqueued) == (1, 1)
    assert workload.discarded == [(str(task.pk), 1)]
    assert (task.status, task.attempts) == ("success", 2)
    assert [attempt.message for attempt in task.history.all()] == ["The worker was lost", ""]


def test_a_task_that_never_reached_the_queue_is_enqueued(make_task: Callable[..., Task]) -> None:
    task = make_task()
    overdue(task)

    assert sweep().enqueued == 1

    task.refresh_from_db()
    assert task.status == "success"


def test_a_task_that_is_looked_after_is_left_alone(make_task: Callable[..., Task]) -> None:
    waiting, running = make_task(), make_task()
    executor.claim(running.pk)

    swept = sweep()

    assert (swept.recovered, swept.enqueued) == (0, 0)
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.status, running.status) == ("pending", "processing")


def test_a_task_waits_for_its_next_attempt_until_it_is_due(make_task: Callable[..., Task]) -> None:
    task = make_task(input={"do": "fail_once"})
    executor.run(task.pk)

    assert sweep().enqueued == 0

    Task.objects.filter(pk=task.pk).update(available_at=timezone.now())
    overdue(task)
    sweep()

    task.refresh_from_db()
    assert (task.status, task.attempts) == ("success", 2)


def test_a_retry_that_is_due_is_not_put_off_by_the_bookkeeping_of_its_first_enqueuing(
    make_task: Callable[..., Task],
) -> None:
    task = make_task(input={"do": "fail_once"})

    engines.publish(task)

    task.refresh_from_db()
    assert task.status == "pending"
    assert task.lease_expires_at == task.available_at


def test_a_broker_that_is_away_costs_one_try_and_no_task(
    make_task: Callable[..., Task], broker_away: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = [make_task(), make_task()]
    for task in tasks:
        overdue(task)

    assert sweep().enqueued == 0

    [record] = caplog.records
    assert record.getMessage().startswith("task_not_enqueued task=")
    broker_away.undo()
    assert sweep().enqueued == 2
    assert set(Task.objects.values_list("status", flat=True)) == {"success"}


def test_submitting_to_a_broker_that_is_away_leaves_the_task_to_the_sweep(
    make_task: Callable[..., Task], broker_away: Any, django_capture_on_commit_callbacks: Any
) -> None:
    task = make_task()

    with django_capture_on_commit_callbacks(execute=True):
        engines.submit(task)

    task.refresh_from_db()
    assert (task.status, task.enqueued_at) == ("pending", None)
    assert task.lease_expires_at < timezone.now() + timedelta(minutes=1)


def test_a_task_that_reached_the_queue_is_left_to_it(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(immediate, "enqueue", lambda task_id: None)
    task = make_task()

    engines.publish(task)

    task.refresh_from_db()
    assert task.lease_expires_at - task.enqueued_at == timedelta(hours=1)


def test_the_sweep_deletes_what_has_expired_and_nothing_else(
    make_task: Callable[..., Task], expired: Any
) -> None:
    kept = make_task()
    expired()

    assert sweep().purged == 1

    assert list(Task.objects.all()) == [kept]


def test_a_purge_takes_the_attempts_along(make_task: Callable[..., Task]) -> None:
    task = make_task()
    executor.run(task.pk)
    Task.objects.update(expires_at=timezone.now())

    assert purge() == 1

    assert not Attempt.objects.exists()


def test_a_purge_deletes_in_batches_of_a_bounded_size(
    expired: Any, django_assert_max_num_queries: Any
) -> None:
    expired(2 * BATCH + 1)

    with django_assert_max_num_queries(40):
        assert purge() == 2 * BATCH + 1


def test_sweeping_again_and_again_outlives_a_database_that_is_away(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, calls = Event(), []

    def fail_then_stop():
        calls.append(1)
        if len(calls) == 2:
            stop.set()
        raise OperationalError("server has gone away")

    monkeypatch.setattr("django_image_tasks.sweep.sweep", fail_then_stop)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    sweep_every(0, stop)

    assert len(calls) == 2


def run_command(*args: str) -> str:
    out = StringIO()
    call_command("image_tasks", *args, stdout=out)
    return out.getvalue()


def test_the_command_sweeps_and_says_what_it_did(make_task: Callable[..., Task]) -> None:
    task = make_task()
    overdue(task)

    assert (
        run_command("sweep")
        == "recovered: 0, enqueued: 1, purged: 0, discarded: 0, scratch_removed: 0\n"
    )


def test_the_command_purges_or_only_counts(expired: Any) -> None:
    expired(3)

    assert run_command("purge", "--dry-run") == "3 expired tasks would be deleted.\n"
    assert run_command("purge") == "3 expired tasks deleted.\n"
    assert Task.objects.count() == 0


def test_the_command_runs_a_workers_own_command_with_the_sweep_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    @contextmanager
    def sweeping(seconds):
        calls.append(f"sweep every {seconds}")
        yield
        calls.append("sweep no more")

    monkeypatch.setattr(image_tasks, "sweeping", sweeping)
    monkeypatch.setattr(image_tasks, "call_command", lambda *args: calls.append(args))

    run_command("work", "--every", "5", "db_worker", "--queue-name", "images")

    assert calls == ["sweep every 5.0", ("db_worker", "--queue-name", "images"), "sweep no more"]


def test_the_command_wants_to_know_the_workers_command() -> None:
    with pytest.raises(CommandError, match="image_tasks work db_worker"):
        run_command("work")
