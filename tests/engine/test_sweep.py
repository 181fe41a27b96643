from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from threading import Event, Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from django_image_tasks import claims, executor
from django_image_tasks import sweep as sweeps
from django_image_tasks.engines import immediate
from django_image_tasks.management.commands import image_tasks
from django_image_tasks.models import Attempt, LastSweep, Task
from django_image_tasks.services import create_task
from django_image_tasks.sweep import BATCH, TICKET_PAUSE, purge, sweep, sweep_every
from tests.engine import workload

PAST = timedelta(seconds=1)


def overdue(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(lease_expires_at=timezone.now() - PAST)


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_image_tasks.sweep.SECOND_LOOK", 0)


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


@pytest.fixture
def without_queue(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tickets that would be on a queue, if there was one."""
    published: list[str] = []
    monkeypatch.setattr(immediate, "enqueue", published.append)
    return published


def test_a_task_whose_worker_died_is_run_again(make_task: Callable[..., Task]) -> None:
    task = make_task()
    claims.claim(task.pk)
    overdue(task)

    swept = sweep()

    task.refresh_from_db()
    assert (swept.recovered, swept.tickets) == (1, 1)
    assert workload.discarded == [(str(task.pk), 1)]
    assert (task.status, task.attempts, task.failed_attempts) == ("success", 2, 1)
    assert [attempt.message for attempt in task.history.all()] == ["The worker was lost", ""]


def test_a_worker_that_renews_its_lease_at_the_last_moment_keeps_its_task(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = claims.claim(make_task().pk)
    overdue(task)
    monkeypatch.setattr("django_image_tasks.sweep.time.sleep", lambda seconds: task.renew_lease())

    assert sweep().recovered == 0

    task.refresh_from_db()
    assert (task.status, task.attempts) == ("processing", 1)


def test_a_race_that_is_lost_for_one_task_leaves_the_others_to_the_sweep(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [claims.claim(make_task().pk) for _ in range(2)]
    for task in (first, second):
        overdue(task)
    monkeypatch.setattr("django_image_tasks.sweep.time.sleep", lambda seconds: first.renew_lease())

    assert sweep().recovered == 1

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("processing", "success")


def test_a_row_that_was_made_by_hand_is_run(make_task: Callable[..., Task]) -> None:
    task = make_task()
    overdue(task)

    assert sweep().due == 1

    task.refresh_from_db()
    assert task.status == "success"


def test_a_task_that_is_looked_after_is_left_alone(make_task: Callable[..., Task]) -> None:
    waiting, running = make_task(), make_task()
    claims.claim(running.pk)

    swept = sweep()

    assert (swept.recovered, swept.due, swept.tickets) == (0, 0, 0)
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.status, running.status) == ("pending", "processing")


def test_a_task_waits_for_its_next_attempt_until_it_is_due(make_task: Callable[..., Task]) -> None:
    task = make_task(input={"do": "fail_once"})
    executor.run(task.pk)

    assert sweep().due == 0

    Task.objects.filter(pk=task.pk).update(available_at=timezone.now())
    overdue(task)
    sweep()

    task.refresh_from_db()
    assert (task.status, task.attempts) == ("success", 2)


def test_lost_tickets_are_made_up_for_by_one(
    make_task: Callable[..., Task], without_queue: list[str]
) -> None:
    waiting = [make_task(turn=turn, lease_expires_at=None) for turn in range(20)]

    assert sweep().tickets == 1

    assert without_queue == ["next"]
    while without_queue:
        executor.run_next(goes_on=without_queue.pop() == "next")
    assert workload.runs == [(str(task.pk), 1) for task in waiting]


def test_a_scheduled_sweep_puts_a_ticket_on_the_queue_only_where_nothing_is_started(
    make_task: Callable[..., Task], without_queue: list[str]
) -> None:
    first, second = [make_task(turn=turn, lease_expires_at=None) for turn in (0, 1)]
    at_any_time = timedelta(microseconds=1)

    assert sweep(unless_within=at_any_time).tickets == 0  # as it has seen the first just now
    claims.claim(first.pk)
    assert sweep(unless_within=at_any_time).tickets == 0  # as the first was started since
    assert sweep(unless_within=at_any_time).tickets == 1
    assert sweep(unless_within=at_any_time).tickets == 0  # as the ticket is on its way
    LastSweep.objects.update(ticket_at=timezone.now() - TICKET_PAUSE)
    assert sweep(unless_within=at_any_time).tickets == 1
    second.refresh_from_db()
    assert second.status == "pending"


def test_of_many_sweepers_one_sweeps(
    make_task: Callable[..., Task], django_assert_num_queries: Any
) -> None:
    sweep(unless_within=timedelta(seconds=5))
    overdue(make_task())

    with django_assert_num_queries(1):
        assert sweep(unless_within=timedelta(seconds=5)).due == 0


def test_of_two_sweepers_that_look_at_once_one_sweeps(make_task: Callable[..., Task]) -> None:
    sweep()
    LastSweep.objects.update(ran_at=timezone.now() - timedelta(hours=1))
    overdue(make_task())
    faster = iter([{"ran_at": timezone.now()}])

    def let_another_be_faster(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and (values := next(faster, None)):
            LastSweep.objects.update(**values)
        return execute(sql, *rest)

    with connection.execute_wrapper(let_another_be_faster):
        assert sweep(unless_within=timedelta(seconds=5)).due == 0

    assert next(faster, None) is None


def test_a_sweep_recovers_so_many_and_no_more(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_image_tasks.sweep.BATCH", 1)
    for task in [make_task(), make_task()]:
        claims.claim(task.pk)
        overdue(task)

    assert sweep().recovered == 1


def test_a_sweep_announces_so_many_and_no_more(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_image_tasks.sweep.BATCH", 10)
    for _ in range(2):
        make_task(status="success", announce_at=timezone.now())

    assert sweep().announced == 1


def test_a_sweep_with_nothing_to_do_costs_one_query_and_the_note_that_it_ran(
    make_task: Callable[..., Task], django_assert_num_queries: Any
) -> None:
    sweep()
    claims.claim(make_task().pk)

    with django_assert_num_queries(2):
        sweep(unless_within=timedelta(microseconds=1))

    assert LastSweep.objects.get().ran_at > timezone.now() - timedelta(seconds=60)


def test_a_broker_that_is_away_costs_one_try_and_no_task(
    make_task: Callable[..., Task], broker_away: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for task in [make_task(), make_task()]:
        overdue(task)

    assert sweep().tickets == 0

    [record] = caplog.records
    assert record.getMessage().startswith("task_not_enqueued task=")
    broker_away.undo()
    assert sweep().tickets == 1
    assert set(Task.objects.values_list("status", flat=True)) == {"success"}


def test_submitting_to_a_broker_that_is_away_leaves_the_task_to_the_sweep(
    db: None, broker_away: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        task = create_task("workload", {}, owner="1")

    task.refresh_from_db()
    assert (task.status, task.turn) == ("pending", 0)


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
    Task.objects.update(expires_at=timezone.now(), announce_at=None)

    assert purge() == 1

    assert not Attempt.objects.exists()


def test_a_purge_deletes_in_batches_of_a_bounded_size(
    expired: Any, django_assert_max_num_queries: Any
) -> None:
    expired(2 * BATCH + 1)

    with django_assert_max_num_queries(40):
        assert purge() == 2 * BATCH + 1


def test_no_batch_of_a_purge_is_larger(expired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expired(5)
    batches: list[int] = []
    delete = sweeps._delete

    def count(batch: list[Any]) -> int:
        batches.append(len(batch))
        return int(delete(batch))

    monkeypatch.setattr(sweeps, "BATCH", 2)
    monkeypatch.setattr(sweeps, "_delete", count)

    assert purge() == 5
    assert batches == [2, 2, 1]


def test_a_sweep_leaves_what_it_cannot_delete_in_time_to_the_next_one(
    expired: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired(2)
    with monkeypatch.context() as patch:
        patch.setattr("django_image_tasks.sweep.PURGE_TIME", 1e-9)
        assert sweep().purged == 0

    assert sweep().purged == 2


def test_no_connection_stays_open_between_two_sweeps(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, left = Event(), []

    def connect_and_stop(**kwargs: Any) -> None:
        connection.ensure_connection()
        stop.set()

    def run() -> None:
        sweep_every(0, stop)
        left.append(connection.connection)

    monkeypatch.setattr("django_image_tasks.sweep.sweep", connect_and_stop)
    thread = Thread(target=run)
    thread.start()
    thread.join()

    assert left == [None]


def test_sweeping_again_and_again_outlives_a_database_that_is_away(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, calls = Event(), []

    def fail_then_stop(**kwargs: Any) -> None:
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

    assert run_command("sweep") == (
        "recovered: 0, due: 1, tickets: 1, announced: 0, purged: 0, discarded: 0, "
        "scratch_removed: 0\n"
    )


def test_the_command_purges_or_only_counts(expired: Any) -> None:
    expired(3)

    assert run_command("purge", "--dry-run") == "3 expired tasks would be deleted.\n"
    assert run_command("purge") == "3 expired tasks deleted.\n"
    assert Task.objects.count() == 0


def test_the_command_runs_a_workers_own_command_with_the_sweep_beside_it(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
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
