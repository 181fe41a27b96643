from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from django_image_tasks import claims, context, executor
from django_image_tasks.exceptions import AttemptFailed, TaskCancelled
from django_image_tasks.models import Task
from django_image_tasks.services import cancel_task, create_task
from django_image_tasks.signals import task_finished, task_started
from django_image_tasks.sweep import sweep
from tests.databases import away
from tests.engine import workload


def outcomes(task: Task) -> list[tuple[int, str, str]]:
    return list(task.history.values_list("number", "outcome", "message"))


def let_lease_run_out(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a function called in mid-run, where a handler would be at work."""

    def call(function):
        monkeypatch.setattr(workload.Callback, "during", staticmethod(function))

    return call


def test_a_task_that_runs_through_ends_in_success_with_its_result(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()
    before = timezone.now()

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.result, task.progress) == ("success", {"attempt": 1}, 100)
    assert (task.message, task.attempts) == ("", 1)
    assert before <= task.started_at <= task.finished_at <= timezone.now()
    assert task.expires_at - task.finished_at == timedelta(hours=48)
    assert outcomes(task) == [(1, "success", "")]


def test_inside_a_transaction_a_handler_asks_for_itself(db: None, during: Any) -> None:
    """No heartbeat would see the task from its own connection."""
    raised: list[Exception] = []

    def work(context: Any) -> None:
        cancel_task(Task.objects.get(), by="mia")
        try:
            context.check()
        except TaskCancelled as error:
            raised.append(error)

    during(work)
    create_task("callback", {}, owner="1")

    assert executor.run_next()

    assert len(raised) == 1


def test_a_task_that_fails_says_what_its_handler_said(make_task: Callable[..., Task]) -> None:
    task = make_task(input={"do": "fail"})

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Source answered 404 Not Found")
    assert task.result is None
    assert outcomes(task) == [(1, "failure", "Source answered 404 Not Found")]
    assert workload.discarded == [(str(task.pk), 1)]


def test_an_unexpected_error_is_logged_with_its_traceback_but_shown_without_its_text(
    make_task: Callable[..., Task], caplog: pytest.LogCaptureFixture
) -> None:
    task = make_task(input={"do": "crash"}, request_id="req-1")

    executor.run(task.pk)

    task.refresh_from_db()
    assert task.status == "failure"
    assert task.message.startswith("Unexpected KeyError; the log of ")
    [record] = caplog.records
    first, *traceback = record.getMessage().splitlines()
    assert first == f"handler_error task={task.pk} request=req-1"
    assert traceback[0] == "  Traceback (most recent call last):"
    assert traceback[-1].startswith("  KeyError: ")


def test_what_an_unexpected_error_says_of_a_url_is_told_nowhere(
    make_task: Callable[..., Task], during: Any, caplog: pytest.LogCaptureFixture
) -> None:
    requests = pytest.importorskip("requests")

    def fetch(context):
        try:
            requests.get("http://127.0.0.1:1/image;SECRET?sig=SECRET")
        except requests.RequestException as error:
            raise ValueError("Got nothing from http://ada:SECRET%40host/") from error

    during(fetch)
    task = make_task("callback")

    executor.run(task.pk)

    task.refresh_from_db()
    [attempt] = task.history.all()
    [record] = caplog.records
    told = [task.message, attempt.message, record.getMessage(), record.args, record.exc_info]
    assert "Max retries exceeded with url: …" in record.getMessage()
    assert "SECRET" not in str(told)


def test_an_error_of_the_database_does_not_take_the_handlers_along(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self, message):
        raise OperationalError("The database is away")

    monkeypatch.setattr(Task, "fail", fail)
    task = make_task(input={"do": "crash"})

    with pytest.raises(OperationalError) as caught:
        executor.run(task.pk)

    assert caught.value.__context__ is None


def test_a_result_of_a_mebibyte_is_kept(make_task: Callable[..., Task], image_tasks: Any) -> None:
    image_tasks["HANDLERS"]["large"] = "tests.engine.workload.Large"
    task = make_task("large", input={"size": 2**20})

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, len(task.result["a"])) == ("success", 2**19 - 4)


def test_a_larger_result_fails_the_task_at_once(
    make_task: Callable[..., Task], image_tasks: Any
) -> None:
    image_tasks["HANDLERS"]["large"] = "tests.engine.workload.Large"
    task = make_task("large", input={"size": 2**20 + 2})

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.attempts, task.result) == ("failure", 1, None)
    assert task.message == (
        "The handler's result cannot be kept: it takes 1048578 bytes, more than 1 MiB"
    )


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("x" * 8192, "x" * 8192),
        ("x" * 8193, "x" * 8189 + "…"),
        ("é" * 4096, "é" * 4096),
        ("é" * 5000, "é" * 4094 + "…"),
        ("\0" * 9000 + "x", "x"),
    ],
)
def test_a_message_is_cut_at_eight_kibibytes(
    make_task: Callable[..., Task], message: Any, kept: Any
) -> None:
    task = make_task()
    task.start("worker")

    task.fail(message)

    task.refresh_from_db()
    assert task.message == kept
    assert outcomes(task) == [(1, "failure", kept)]


def test_a_result_that_is_not_json_fails_the_task(make_task: Callable[..., Task]) -> None:
    task = make_task("unstorable")

    executor.run(task.pk)

    task.refresh_from_db()
    assert task.status == "failure"
    assert task.message == "The handler's result cannot be kept: datetime is not a type of JSON"


@pytest.mark.parametrize("result", [None, "done", ["done"], 7])
def test_a_result_that_is_no_object_fails_the_task(
    make_task: Callable[..., Task], image_tasks: Any, monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    image_tasks["HANDLERS"]["returning"] = "tests.engine.workload.Returning"
    monkeypatch.setattr(workload.Returning, "result", result)
    task = make_task("returning")

    executor.run(task.pk)

    task.refresh_from_db()
    kind = type(result).__name__
    assert (task.status, task.result) == ("failure", None)
    assert task.message == f"The handler's result cannot be kept: it is {kind}, no JSON object"


def test_a_type_without_a_handler_fails_the_task(make_task: Callable[..., Task]) -> None:
    task = make_task("retired")

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "No handler runs tasks of type 'retired'.")


def test_what_a_retry_may_mend_is_tried_again_after_a_wait_that_doubles(
    make_task: Callable[..., Task], image_tasks: Any
) -> None:
    image_tasks["NEXT_ATTEMPT_DELAY"] = timedelta(seconds=8)
    task = make_task(input={"do": "fail_always"})
    waits = []
    for _ in range(3):
        executor.run(task.pk)
        task.refresh_from_db()
        waits.append(
            task.available_at and round((task.available_at - task.updated_at).total_seconds())
        )
        Task.objects.filter(pk=task.pk).update(available_at=timezone.now())

    assert waits[:2] == [8, 16]
    assert task.status == "failure"
    assert task.message == "Source answered 503 Service Unavailable (in the last of 3 attempts)"
    assert [outcome for _, outcome, _ in outcomes(task)] == ["retry", "retry", "failure"]


@pytest.mark.parametrize(("after", "wait"), [(3600, 3600), (1, 10)])
def test_a_handler_may_ask_for_a_longer_wait_and_for_no_shorter_one(
    make_task: Callable[..., Task], during: Any, after: int, wait: int
) -> None:
    def fail(context):
        raise AttemptFailed("The source is busy", after=timedelta(seconds=after))

    during(fail)
    task = make_task("callback")

    executor.run(task.pk)

    task.refresh_from_db()
    left = (task.available_at - timezone.now()).total_seconds()
    assert wait - 5 < left <= wait


def test_an_engine_that_can_keeps_the_ticket_until_the_wait_is_over(
    make_task: Callable[..., Task], image_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = []
    monkeypatch.setattr(workload, "enqueue_later", lambda *args: later.append(args), raising=False)
    image_tasks["ENGINE"] = workload.__name__
    task = make_task(input={"do": "fail_once"})

    executor.run(task.pk)

    assert later == [(str(task.pk), timedelta(seconds=10))]
    assert workload.published == []


def test_a_task_is_not_run_before_its_wait_is_over(make_task: Callable[..., Task]) -> None:
    task = make_task(input={"do": "fail_once"})

    executor.run(task.pk)
    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.attempts) == ("pending", 1)


def test_delivering_a_task_again_does_not_run_it_again(make_task: Callable[..., Task]) -> None:
    task = make_task()

    for _ in range(20):
        executor.run(task.pk)

    assert workload.runs == [(str(task.pk), 1)]


def test_delivering_a_task_while_it_runs_does_not_run_it_twice(
    make_task: Callable[..., Task], during: Any
) -> None:
    task = make_task("callback")
    during(lambda context: executor.run(context.task_id))

    executor.run(task.pk)

    assert workload.runs == [(str(task.pk), 1)]


def test_a_task_that_is_gone_is_skipped(make_task: Callable[..., Task]) -> None:
    task = make_task()
    pk = task.pk
    task.delete()

    executor.run(pk)

    assert workload.runs == []


def test_a_task_whose_lease_ran_out_is_taken_over_when_it_is_delivered(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()
    claims.claim(task.pk)
    let_lease_run_out(task)

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.result) == ("success", {"attempt": 2})
    assert outcomes(task) == [(1, "lost", "The worker was lost"), (2, "success", "")]
    assert workload.discarded == [(str(task.pk), 1)]


def test_a_worker_that_lost_its_lease_can_write_nothing(
    make_task: Callable[..., Task], during: Any
) -> None:
    task = make_task("callback")

    def another_worker_finishes(context):
        if context.attempt == 1:
            let_lease_run_out(task)
            executor.run(context.task_id)

    during(another_worker_finishes)
    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.result, task.attempts) == ("success", {"attempt": 2}, 2)
    assert outcomes(task) == [(1, "lost", "The worker was lost"), (2, "success", "")]
    assert workload.discarded == [(str(task.pk), 1), (str(task.pk), 1)]


def test_a_cancelled_handler_is_told_at_its_next_check(
    make_task: Callable[..., Task], during: Any
) -> None:
    task = make_task("callback")
    raised = []

    def cancelled(context):
        Task.objects.get(pk=task.pk).cancel("mia")
        try:
            context.check()
        except TaskCancelled as error:
            raised.append(error)
            raise

    during(cancelled)
    executor.run(task.pk)

    task.refresh_from_db()
    assert len(raised) == 1
    assert (task.status, task.message) == ("failure", "Cancelled by mia")
    assert workload.discarded == [(str(task.pk), 1)]


def test_a_recorded_cancel_rules_out_success(make_task: Callable[..., Task], during: Any) -> None:
    task = make_task("callback")
    during(lambda context: Task.objects.get(pk=task.pk).cancel("mia"))

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.message, task.result) == ("failure", "Cancelled by mia", None)


@pytest.mark.parametrize("do", ["fail", "fail_once", "crash"])
def test_a_recorded_cancel_rules_out_another_attempt(
    make_task: Callable[..., Task], during: Any, do: Any
) -> None:
    task = make_task("callback", input={"do": do})
    during(lambda context: Task.objects.get(pk=task.pk).cancel("mia"))

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Cancelled by mia")


def test_a_cancel_holds_when_the_worker_dies(make_task: Callable[..., Task]) -> None:
    task = make_task()
    claims.claim(task.pk)
    Task.objects.get(pk=task.pk).cancel("mia")
    let_lease_run_out(task)

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Cancelled by mia")
    assert workload.runs == []


def test_a_task_over_its_deadline_fails(make_task: Callable[..., Task], image_tasks: Any) -> None:
    image_tasks["TASK_TIMEOUT"] = timedelta(milliseconds=1)
    task = make_task(input={"do": "check_late"})

    executor.run(task.pk)

    task.refresh_from_db()
    assert task.status == "failure"
    assert task.message == "Took longer than the limit of 0:00:00.001000"


def test_the_deadline_counts_from_the_attempts_start(
    make_task: Callable[..., Task], during: Any
) -> None:
    seen = []

    def look(context):
        context.check()
        seen.append(context.deadline)

    during(look)
    task = make_task("callback", created_at=timezone.now() - timedelta(days=2))
    before = timezone.now()

    executor.run(task.pk)

    task.refresh_from_db()
    assert task.status == "success"
    assert before + timedelta(hours=6) <= seen[0] <= timezone.now() + timedelta(hours=6)


@pytest.mark.parametrize(
    "run", [lambda pk: executor.run(pk), lambda pk: executor.run_next(has_heartbeat=False)]
)
def test_a_lease_that_nobody_renews_lasts_as_long_as_an_attempt_may(
    make_task: Callable[..., Task], during: Any, run: Any
) -> None:
    leases = []

    def look(context):
        row = Task.objects.get(pk=context.task_id)
        leases.append(row.lease_expires_at - timezone.now())

    during(look)
    task = make_task("callback", turn=0)

    run(task.pk)

    assert leases[0] > timedelta(hours=6)


def test_progress_moves_the_row_and_not_the_lease(
    make_task: Callable[..., Task], during: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "WRITE_INTERVAL", 0)
    task = make_task("callback")
    seen = []

    def report(context):
        before = Task.objects.get(pk=task.pk)
        context.progress(50, 200)
        seen[:] = [Task.objects.get(pk=task.pk)]
        assert seen[0].lease_expires_at == before.lease_expires_at

    during(report)
    executor.run(task.pk)

    [row] = seen
    assert (row.progress, row.bytes_done, row.bytes_total) == (25, 50, 200)


def test_progress_writes_at_most_once_a_second(
    make_task: Callable[..., Task], during: Any, django_assert_num_queries: Any
) -> None:
    task = make_task("callback")

    def report_often(context):
        with django_assert_num_queries(0):
            for done in range(1000):
                context.progress(done, 1000)

    during(report_often)
    executor.run(task.pk)

    task.refresh_from_db()
    assert task.status == "success"


def test_the_scratch_directory_is_gone_however_the_attempt_ended(
    make_task: Callable[..., Task], during: Any, image_tasks: Any
) -> None:
    for do in ["check", "fail", "crash", "fail_once"]:
        executor.run(make_task(input={"do": do}).pk)

    assert list(image_tasks["SCRATCH_DIR"].iterdir()) == []


def test_signals_tell_of_start_and_end_once_written(
    make_task: Callable[..., Task], django_capture_on_commit_callbacks: Any
) -> None:
    task = make_task()
    heard = []

    def hear(signal, task, **kwargs):
        heard.append((signal, task.status))

    for signal in (task_started, task_finished):
        signal.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            executor.run(task.pk)
    finally:
        for signal in (task_started, task_finished):
            signal.disconnect(hear)

    assert [signal for signal, _ in heard] == [task_started, task_finished]


def test_log_lines_name_task_owner_request_and_attempt(
    make_task: Callable[..., Task], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "django_image_tasks")
    task = make_task(request_id="req-7")

    executor.run(task.pk)

    started, ended = [record.getMessage() for record in caplog.records]
    common = f"task={task.pk} owner=1 request=req-7 attempt=1"
    assert started.startswith(f"task_started {common} worker=")
    assert ended.startswith(f"task_ended {common} status=success duration=")


class OnlyTheWriter:
    """A router whose replica is so late that whoever reads there would see nothing."""

    def db_for_read(self, model: type, **hints: Any) -> str:
        raise AssertionError(f"{model.__name__} was read from the replica")

    def db_for_write(self, model: type, **hints: Any) -> str:
        return "default"


def test_what_decides_is_read_where_it_is_written(
    db: None, settings: Any, image_tasks: Any
) -> None:
    settings.DATABASE_ROUTERS = ["tests.engine.test_executor.OnlyTheWriter"]
    image_tasks["ENGINE"] = "tests.engine.workload"
    task = create_task("workload", {"do": "check"}, owner="1")
    create_task("workload", {"do": "fail_once"}, owner="1")
    sweep()

    assert [executor.run_next() for _ in range(3)] == [True, True, False]

    sweep()
    cancel_task(create_task("workload", {}, owner="1"), "mia")
    assert workload.runs[0] == (str(task.pk), 1)


def test_a_database_that_fails_in_a_handler_costs_an_attempt_and_says_so(
    transactional_db: None, make_task: Callable[..., Task], during: Any
) -> None:
    def fail(context: Any) -> None:
        with away():
            Task.objects.count()

    during(fail)
    task = make_task("callback")

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.failed_attempts) == ("pending", 1)
    assert task.message == "A database failed: OperationalError"
