"""What the thread beside a handler does: it keeps the lease, and ends what must end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event, Thread, current_thread
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connections, transaction
from django.db.backends.signals import connection_created
from django.utils import timezone

from django_image_tasks import executor, heartbeat, open_transactions, tickets
from django_image_tasks.context import TaskContext
from django_image_tasks.exceptions import HandedOver, LeaseLost, TaskCancelled
from django_image_tasks.models import Leftover, Task
from django_image_tasks.services import create_task
from django_image_tasks.sweep import sweep
from tests.engine import workload

pytestmark = pytest.mark.django_db(transaction=True)


class Worker:
    """A worker in a thread of its own, with a handler that the test has written."""

    def __init__(self, should_stop: Callable[[], bool] | None = None) -> None:
        self.at_work, self.raised = Event(), None
        self.task = create_task("callback", {}, owner="1")
        self._thread = Thread(target=self._run, args=(should_stop,))

    def _run(self, should_stop: Callable[[], bool] | None) -> None:
        try:
            executor.run_next(should_stop)
        finally:
            connections.close_all()

    def start(self) -> None:
        self._thread.start()
        assert self.at_work.wait(10)

    def end(self, within: float) -> Task:
        self._thread.join(within)
        assert not self._thread.is_alive(), f"still at work after {within} s"
        self.task.refresh_from_db()
        return self.task


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, image_tasks: Any) -> Any:
    """Start a worker that is handled by a function of the context."""
    # Nothing but the worker of the test runs a task.
    image_tasks["ENGINE"] = "tests.engine.workload"

    def make(handle: Callable[[Any], object], **options: Any) -> Worker:
        worker = Worker(**options)

        def during(context: Any) -> None:
            worker.at_work.set()
            try:
                handle(context)
            except Exception as error:
                worker.raised = error
                raise

        monkeypatch.setattr(workload.Callback, "during", staticmethod(during))
        worker.start()
        return worker

    return make


@pytest.fixture
def opened() -> Iterator[list[Any]]:
    """The connections that other threads have opened to the database."""
    ours, opened = current_thread(), []

    def note(connection: Any, **kwargs: object) -> None:
        if current_thread() is not ours:
            connection.opened_by = current_thread().name
            opened.append(connection)

    connection_created.connect(note)
    yield opened
    connection_created.disconnect(note)


def wait_for(condition: Callable[[], Any], seconds: float = 4) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.05)


def outcomes(task: Task) -> list[str]:
    return list(task.history.values_list("outcome", flat=True))


def test_a_handler_that_says_nothing_keeps_its_lease(worker: Any, image_tasks: Any) -> None:
    image_tasks["LEASE"] = 3
    silent = worker(lambda context: time.sleep(5))
    for _ in range(9):
        time.sleep(0.5)
        sweep()

    task = silent.end(within=3)

    assert (task.status, task.attempts) == ("success", 1)


def test_a_cancel_ends_the_task_and_frees_the_worker_within_three_seconds(worker: Any) -> None:
    waiting = worker(lambda context: (context.stopped.wait(30), context.check()))
    began = time.monotonic()

    Task.objects.get(pk=waiting.task.pk).cancel("mia")

    task = waiting.end(within=3)
    assert time.monotonic() - began < 3
    assert isinstance(waiting.raised, TaskCancelled)
    assert (task.status, task.message) == ("failure", "Cancelled by mia")
    assert outcomes(task) == ["failure"]
    assert workload.discarded == [(str(task.pk), 1)]


def test_a_cancel_ends_the_task_even_if_its_handler_does_not_return(worker: Any) -> None:
    deaf = worker(lambda context: time.sleep(4))
    task = Task.objects.get(pk=deaf.task.pk)
    task.cancel("mia")

    wait_for(lambda: Task.objects.filter(pk=task.pk, status="failure").exists(), seconds=3)
    [attempt] = task.history.all()
    assert (attempt.outcome, attempt.ended_at) == ("failure", None)
    assert Leftover.objects.get().due_at > timezone.now() + timedelta(hours=1)

    deaf.end(within=5)
    attempt.refresh_from_db()
    assert attempt.ended_at is not None
    assert not Leftover.objects.exists()


def test_no_connection_stays_open_beside_a_worker(worker: Any, opened: list[Any]) -> None:
    waiting = worker(lambda context: (context.stopped.wait(30), context.check()))

    Task.objects.get(pk=waiting.task.pk).cancel("mia")  # the end is written in a thread of its own

    waiting.end(within=5)
    assert len(opened) >= 3  # the worker's, the heartbeat's, and that of the end
    wait_for(lambda: all(each.connection is None for each in opened))


@pytest.mark.parametrize(("conn_max_age", "most"), [(0, 10), (None, 1)])
def test_looks_share_a_connection_where_connections_are_kept(
    worker: Any, opened: list[Any], monkeypatch: pytest.MonkeyPatch, conn_max_age: Any, most: int
) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "CONN_MAX_AGE", conn_max_age)
    waiting = worker(lambda context: (context.stopped.wait(3.5), context.check()))

    waiting.end(within=10)

    looks = [each for each in opened if each.opened_by == "image-tasks-heartbeat"]
    assert min(most, 2) <= len(looks) <= most
    wait_for(lambda: all(each.connection is None for each in opened))


def test_a_deadline_stops_a_handler_that_only_waits(worker: Any, image_tasks: Any) -> None:
    image_tasks["TASK_TIMEOUT"] = 1
    waiting = worker(lambda context: (context.stopped.wait(30), context.check()))

    task = waiting.end(within=4)

    assert (task.status, task.message) == ("failure", "Took longer than the limit of 0:00:01")


def test_a_callback_ends_what_the_handler_waits_for(
    worker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = os.pipe()

    def read(context: Any) -> None:
        with context.on_stop(lambda: os.close(writer)):
            os.read(reader, 1)
        raise OSError("The pipe was closed")

    reading = worker(read)

    Task.objects.get(pk=reading.task.pk).cancel("mia")

    task = reading.end(within=3)
    os.close(reader)
    assert (task.status, task.message) == ("failure", "Cancelled by mia")
    assert "handler_error" not in caplog.text


def test_a_task_of_a_worker_that_is_told_to_stop_is_handed_over(
    worker: Any, image_tasks: Any
) -> None:
    image_tasks["STOP_GRACE_TIME"] = 0
    told = Event()
    waiting = worker(
        lambda context: (context.stopped.wait(30), context.check()), should_stop=told.is_set
    )

    told.set()

    task = waiting.end(within=3)
    assert isinstance(waiting.raised, HandedOver)
    assert (task.status, task.turn, task.failed_attempts) == ("pending", 0, 0)
    assert outcomes(task) == ["handed_over"]
    assert workload.published == [str(task.pk)] * 2  # once when it was created


def test_a_worker_leaves_once_the_queue_knows_of_what_it_hands_over(
    worker: Any, image_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_tasks["STOP_GRACE_TIME"] = 0
    told, publish = Event(), tickets.publish
    waiting = worker(
        lambda context: (context.stopped.wait(30), context.check()), should_stop=told.is_set
    )
    slowly = lambda *args: (time.sleep(1), publish(*args))  # noqa: E731
    monkeypatch.setattr(tickets, "publish", slowly)

    told.set()

    waiting.end(within=5)
    assert workload.published == [str(waiting.task.pk)] * 2


@pytest.mark.parametrize(
    ("verb", "setting", "status", "message"),
    [
        ("hand_over", "STOP_GRACE_TIME", "pending", "The worker was told to stop"),
        ("fail", "TASK_TIMEOUT", "failure", "Took longer than the limit of 0:00:01"),
        ("carry_out_cancel", "", "failure", "Cancelled by mia"),
    ],
)
def test_an_end_that_the_heartbeat_could_not_write_is_written_by_the_worker(
    worker: Any,
    image_tasks: Any,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    setting: str,
    status: str,
    message: str,
) -> None:
    if setting:
        image_tasks[setting] = 1
    ends, failed = getattr(Task, verb), Event()

    def fail_once(task: Task, *args: Any, **more: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise OperationalError("server has gone away")
        ends(task, *args, **more)

    monkeypatch.setattr(Task, verb, fail_once)
    waiting = worker(
        lambda context: (context.stopped.wait(30), context.check()),
        should_stop=lambda: verb == "hand_over",
    )
    if not setting:
        Task.objects.get(pk=waiting.task.pk).cancel("mia")

    task = waiting.end(within=8)

    assert failed.is_set()
    assert (task.status, task.message) == (status, message)
    assert workload.discarded == [(str(task.pk), 1)]


def is_silent() -> bool:
    time.sleep(6)
    return False


def is_refused() -> bool:
    raise ConnectionRefusedError


@pytest.mark.parametrize("ask", [is_silent, is_refused])
def test_a_broker_that_is_away_and_cannot_say_whether_to_stop_costs_no_lease(
    worker: Any, image_tasks: Any, ask: Callable[[], bool]
) -> None:
    image_tasks["LEASE"] = 3
    running = worker(lambda context: time.sleep(5), should_stop=ask)
    for _ in range(9):
        time.sleep(0.5)
        sweep()

    task = running.end(within=3)

    assert (task.status, outcomes(task)) == ("success", ["success"])


def test_a_broker_that_is_back_is_asked_again_whether_to_stop(
    worker: Any, image_tasks: Any
) -> None:
    image_tasks["STOP_GRACE_TIME"] = 0
    answers = iter([ConnectionRefusedError(), True])

    def ask() -> bool:
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    waiting = worker(lambda context: (context.stopped.wait(30), context.check()), should_stop=ask)

    assert outcomes(waiting.end(within=5)) == ["handed_over"]


def test_a_task_that_ends_within_the_grace_time_is_not_handed_over(worker: Any) -> None:
    ending = worker(lambda context: time.sleep(2), should_stop=lambda: True)

    assert ending.end(within=4).status == "success"


def test_a_worker_whose_task_was_taken_is_told_and_writes_nothing(
    worker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = worker(lambda context: (context.stopped.wait(30), context.check()))
    past = timezone.now() - timedelta(seconds=1)
    Task.objects.filter(pk=waiting.task.pk).update(lease_expires_at=past)
    Task.objects.get(pk=waiting.task.pk).end_lost_attempt()

    task = waiting.end(within=3)

    assert isinstance(waiting.raised, LeaseLost)
    assert (task.status, outcomes(task)) == ("pending", ["lost"])
    assert "handler_error" not in caplog.text


def test_a_lease_that_ran_out_while_the_database_was_away_is_renewed(worker: Any) -> None:
    done = Event()
    waiting = worker(lambda context: done.wait(10))
    past = timezone.now() - timedelta(seconds=90)
    Task.objects.filter(pk=waiting.task.pk).update(lease_expires_at=past)

    done.set()  # before the next look of the heartbeat, perhaps

    task = waiting.end(within=5)
    assert (task.status, task.attempts) == ("success", 1)


def test_a_lease_that_ran_out_while_the_process_was_asleep_is_lost(
    worker: Any, image_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_tasks["LEASE"] = 3
    monkeypatch.setattr(heartbeat, "BEAT", 2)  # more than half of it
    waiting = worker(lambda context: (context.stopped.wait(30), context.check()))
    heartbeat.of_this_process().wait_for_look()  # one that had begun knew nothing of it
    past = timezone.now() - timedelta(seconds=1)
    Task.objects.filter(pk=waiting.task.pk).update(lease_expires_at=past)

    task = waiting.end(within=8)

    assert isinstance(waiting.raised, LeaseLost)
    assert (task.status, task.lease_expires_at) == ("processing", past)


def test_a_look_that_fails_is_not_the_last_one(
    worker: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look, failed = heartbeat.Heartbeat._look, Event()

    def fail_once(self: Any, **kwargs: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise OperationalError("server has gone away")
        look(self, **kwargs)

    monkeypatch.setattr(heartbeat.Heartbeat, "_look", fail_once)
    waiting = worker(lambda context: (context.stopped.wait(30), context.check()))
    assert failed.wait(5)

    Task.objects.get(pk=waiting.task.pk).cancel("mia")

    assert waiting.end(within=5).status == "failure"
    assert "heartbeat_failed" in caplog.text


def test_a_race_that_is_lost_for_one_attempt_leaves_the_others_to_the_look(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()
    task.start("worker")
    row = {**Task.objects.values(*heartbeat.LOOK[:-1]).get(), "is_expired": True}
    Task.objects.get(pk=task.pk).cancel("mia")  # behind the look's back
    watched = heartbeat.Watched(TaskContext(task, has_heartbeat=True), None)

    watched.look_at(row, paused=False)

    assert not watched.context.stopped.is_set()  # the next look tells why


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_hands_the_task_of_the_main_thread_over(
    monkeypatch: pytest.MonkeyPatch, image_tasks: Any, number: signal.Signals
) -> None:
    image_tasks |= {"STOP_GRACE_TIME": 0, "ENGINE": "tests.engine.workload"}
    heard: list[int] = []
    before = signal.signal(number, lambda number, frame: heard.append(number))

    def wait(context: Any) -> None:
        os.kill(os.getpid(), number)
        context.stopped.wait(30)
        context.check()

    monkeypatch.setattr(workload.Callback, "during", staticmethod(wait))
    task = create_task("callback", {}, owner="1")
    try:
        executor.run_next()
    finally:
        mended = signal.signal(number, before)

    task.refresh_from_db()
    assert (task.status, outcomes(task), heard) == ("pending", ["handed_over"], [number])
    mended(number, None)  # what was there before is there again
    assert heard == [number, number]


@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [
        (SystemExit(3), "failure", "The handler ended its process; the log of "),
        (KeyboardInterrupt(), "pending", "The worker was told to stop"),
    ],
)
def test_what_ends_a_process_is_recorded_and_raised_again(
    monkeypatch: pytest.MonkeyPatch, image_tasks: Any, raised: Any, status: str, message: str
) -> None:
    image_tasks["ENGINE"] = "tests.engine.workload"

    def end(context: Any) -> None:
        raise raised

    monkeypatch.setattr(workload.Callback, "during", staticmethod(end))
    task = create_task("callback", {}, owner="1")

    with pytest.raises(type(raised)):
        executor.run_next()

    task.refresh_from_db()
    assert (task.status, task.message[: len(message)]) == (status, message)
    assert workload.published == [str(task.pk)] * (2 if status == "pending" else 1)
    assert workload.discarded == [(str(task.pk), 1)]


def test_an_exit_that_a_signal_asked_for_hands_the_task_over(
    monkeypatch: pytest.MonkeyPatch, image_tasks: Any
) -> None:
    image_tasks["ENGINE"] = "tests.engine.workload"
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    monkeypatch.setattr(
        workload.Callback,
        "during",
        staticmethod(lambda context: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(5))),
    )
    task = create_task("callback", {}, owner="1")

    try:
        with pytest.raises(SystemExit):
            executor.run_next()
    finally:
        signal.signal(signal.SIGTERM, before)

    task.refresh_from_db()
    assert (task.status, outcomes(task)) == ("pending", ["handed_over"])
    assert workload.published == [str(task.pk)] * 2


class Recording:
    """The record of a success, of which the first tries fail, before or behind the writing."""

    def __init__(self, *errors: Exception, behind: bool = False) -> None:
        self.errors, self.behind, self.tries = list(errors), behind, 0
        self.succeed = Task.succeed

    def __call__(self, task: Task, result: Any) -> None:
        self.tries += 1
        if self.behind or not self.errors:
            self.succeed(task, result)
        if self.errors:
            raise self.errors.pop()


def lost_connection() -> OperationalError:
    error = OperationalError("server closed the connection unexpectedly")
    error.__cause__ = type("Lost", (Exception,), {"sqlstate": None})()
    return error


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch, image_tasks: Any) -> Callable[..., Recording]:
    image_tasks["ENGINE"] = "tests.engine.workload"
    monkeypatch.setattr(executor, "OUTAGE", 5)

    def use(*errors: Exception, **options: Any) -> Recording:
        recording = Recording(*errors, **options)
        monkeypatch.setattr(Task, "succeed", lambda *args: recording(*args))
        return recording

    return use


def test_an_end_is_recorded_once_the_database_is_back(
    recording: Callable[..., Recording], caplog: pytest.LogCaptureFixture
) -> None:
    recording(lost_connection(), lost_connection())
    task = create_task("workload", {}, owner="1")

    executor.run_next()

    task.refresh_from_db()
    assert (task.status, task.attempts) == ("success", 1)
    assert caplog.text.count("end_not_written") == 2


def test_an_end_that_no_database_takes_is_not_tried_again(
    recording: Callable[..., Recording],
) -> None:
    recorded = recording(*(DatabaseError("no such column") for _ in range(9)))
    create_task("workload", {}, owner="1")

    with pytest.raises(DatabaseError):
        executor.run_next()

    assert recorded.tries == 1


def test_what_a_result_names_stays_where_only_the_answer_to_its_record_was_lost(
    recording: Callable[..., Recording],
) -> None:
    recording(lost_connection(), behind=True)
    task = create_task("workload", {}, owner="1")

    executor.run_next()

    task.refresh_from_db()
    assert (task.status, workload.discarded) == ("success", [])


def leave_autocommit_off(context: Any) -> None:
    transaction.set_autocommit(False)
    Task.objects.filter(pk=context.task_id).update(name="written")


def leave_autocommit_off_and_do_nothing(context: Any) -> None:
    transaction.set_autocommit(False)


def begin_behind_djangos_back(context: Any) -> None:
    connections["default"].cursor().execute("BEGIN")
    Task.objects.filter(pk=context.task_id).update(name="written")


def leave_block_open(context: Any) -> None:
    transaction.atomic().__enter__()
    Task.objects.filter(pk=context.task_id).update(name="written")


def test_a_block_that_was_open_before_is_not_the_handlers() -> None:
    transaction.atomic().__enter__()
    before = open_transactions.depths()
    assert open_transactions.end_those_since(before) == []

    transaction.atomic().__enter__()

    assert open_transactions.end_those_since(before) == ["default"]
    assert not connections["default"].in_atomic_block


@pytest.mark.parametrize(
    "leave",
    [
        leave_autocommit_off,
        leave_autocommit_off_and_do_nothing,
        leave_block_open,
        begin_behind_djangos_back,
    ],
)
def test_a_transaction_that_is_left_open_is_rolled_back_and_said(worker: Any, leave: Any) -> None:
    if leave is begin_behind_djangos_back and connections["default"].vendor == "mysql":
        pytest.skip("MariaDB's driver cannot tell.")
    task = worker(leave).end(within=5)

    assert (task.status, task.name) == ("failure", "")
    assert task.message == (
        "The handler left a transaction open on the database 'default'. It was rolled back."
    )


def test_progress_inside_a_transaction_is_refused_in_words(
    worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_image_tasks.context.WRITE_INTERVAL", 0)

    def report(context: Any) -> None:
        with transaction.atomic():
            context.progress(1, 2)

    task = worker(report).end(within=5)

    assert task.status == "failure"
    assert task.message.startswith("progress() was called inside transaction.atomic()")
