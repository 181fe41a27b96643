from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.models import Attempt, Leftover, Task
from django_image_tasks.services import retry_task

VERBS = {
    "start": lambda task: task.start("worker"),
    "record_progress": lambda task: task.record_progress(1, 2),
    "record_checkpoint": lambda task: task.record_checkpoint(),
    "succeed": lambda task: task.succeed({}),
    "fail": lambda task: task.fail("reason"),
    "schedule_next_attempt": lambda task: task.schedule_next_attempt("reason", timedelta()),
    "renew_lease": lambda task: task.renew_lease(),
    "hand_over": lambda task: task.hand_over(),
    "wait_for_turn": lambda task: task.wait_for_turn(),
    "carry_out_cancel": lambda task: task.carry_out_cancel(),
    "end_lost_attempt": lambda task: task.end_lost_attempt(),
    "cancel": lambda task: task.cancel("mia"),
    "retry": retry_task,
}

ALLOWED = {
    "pending": {"start", "cancel", "wait_for_turn"},
    "processing": {
        "record_progress",
        "record_checkpoint",
        "succeed",
        "fail",
        "schedule_next_attempt",
        "renew_lease",
        "hand_over",
        "cancel",
    },
    "cancelling": {"carry_out_cancel", "cancel"},
    # Only the heartbeat, which knows that its process was not asleep, can save an expired lease.
    "stale": {"renew_lease", "end_lost_attempt", "cancel"},
    "success": set(),
    "failure": {"retry"},
}


@pytest.fixture
def task_in(make_task: Callable[..., Task]) -> Any:
    def make(state: str) -> Task:
        task = make_task()
        bring_to(state, task)
        return Task.objects.get(pk=task.pk)

    return make


def bring_to(state: str, task: Task) -> None:
    """Take a pending task on to a state."""
    if state != "pending":
        task.start("worker")
    if state == "cancelling":
        task.cancel("mia")
    elif state == "stale":
        Task.objects.filter(pk=task.pk).update(
            lease_expires_at=timezone.now() - timedelta(seconds=1)
        )
    elif state == "success":
        task.succeed({})
    elif state == "failure":
        task.fail("reason")


@pytest.mark.parametrize("state", ALLOWED)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_works_from_the_states_it_starts_from_and_writes_nothing_elsewhere(
    task_in: Any, state: Any, verb: Any
) -> None:
    task = task_in(state)
    before = Task.objects.filter(pk=task.pk).values().get()

    try:
        VERBS[verb](task)
    except InvalidTransition:
        allowed = False
        assert Task.objects.filter(pk=task.pk).values().get() == before
    else:
        allowed = True

    assert allowed == (verb in ALLOWED[state])


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        *((verb, "processing") for verb in sorted(ALLOWED["processing"] - {"cancel"})),
        ("carry_out_cancel", "cancelling"),
        ("end_lost_attempt", "stale"),
        ("renew_lease", "stale"),
    ],
)
def test_who_has_lost_a_task_writes_nothing_to_it_while_another_runs_it(
    task_in: Any, verb: str, state: str
) -> None:
    lost = task_in("processing")
    Task.objects.filter(pk=lost.pk).update(lease_expires_at=timezone.now())
    Task.objects.get(pk=lost.pk).end_lost_attempt()
    bring_to(state, Task.objects.get(pk=lost.pk))
    before = Task.objects.filter(pk=lost.pk).values().get()

    with pytest.raises(InvalidTransition):
        VERBS[verb](lost)

    assert Task.objects.filter(pk=lost.pk).values().get() == before


def test_a_stale_copy_cannot_start_a_task_that_has_been_started(task_in: Any) -> None:
    task = task_in("pending")
    Task.objects.get(pk=task.pk).start("first")

    with pytest.raises(InvalidTransition):
        task.start("second")

    assert Task.objects.get(pk=task.pk).lease_owner == "first"


def test_a_stale_copy_cannot_start_a_task_that_was_started_and_waits_again(task_in: Any) -> None:
    task = task_in("pending")
    other = Task.objects.get(pk=task.pk)
    other.start("first")
    other.hand_over()

    with pytest.raises(InvalidTransition):
        task.start("second")

    assert Task.objects.get(pk=task.pk).attempts == 1


def test_a_stale_copy_gives_no_turn_to_a_task_that_waits_for_another_attempt(task_in: Any) -> None:
    task = task_in("pending")
    other = Task.objects.get(pk=task.pk)
    other.start("first")
    other.schedule_next_attempt("reason", timedelta(hours=1))

    with pytest.raises(InvalidTransition):
        task.wait_for_turn()

    assert Task.objects.get(pk=task.pk).turn is None


def test_a_stale_copy_of_a_task_that_has_ended_cannot_cancel_it(task_in: Any) -> None:
    task = task_in("processing")
    Task.objects.get(pk=task.pk).succeed({})

    with pytest.raises(InvalidTransition):
        task.cancel("mia")


def test_a_cancel_that_a_recovery_has_not_seen_is_not_lost(task_in: Any) -> None:
    lost = task_in("stale")
    Task.objects.get(pk=lost.pk).cancel("mia")

    with pytest.raises(InvalidTransition):
        lost.end_lost_attempt()

    recovered = Task.objects.get(pk=lost.pk)
    recovered.end_lost_attempt()
    assert (recovered.status, recovered.message) == ("failure", "Cancelled by mia")


def test_a_cancel_is_not_lost_where_the_task_goes_back_to_pending_meanwhile(
    task_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, update = task_in("processing"), Task._update

    def hand_over_before(self: Task, row: Any, values: Any, *more: Any) -> None:
        if "cancel_requested_at" in values:
            Task.objects.get(pk=self.pk).hand_over()
        update(self, row, values, *more)

    monkeypatch.setattr(Task, "_update", hand_over_before)

    task.cancel("mia")

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Cancelled by mia")


def test_a_cancel_between_two_attempts_changes_nothing_in_the_history_of_the_first(
    task_in: Any,
) -> None:
    task = task_in("processing")
    task.schedule_next_attempt("The source is away", timedelta(hours=1))
    Leftover.objects.all().delete()

    task.cancel("mia")

    [attempt] = task.history.all()
    assert (attempt.outcome, attempt.message) == ("retry", "The source is away")
    assert not Leftover.objects.exists()


def test_a_change_that_cannot_be_written_to_the_history_is_not_made(
    task_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("disk full")

    task = task_in("pending")
    monkeypatch.setattr(Attempt, "save", fail)

    with pytest.raises(OperationalError):
        task.start("worker")

    assert Task.objects.get(pk=task.pk).status == "pending"


def test_a_handler_that_returns_after_its_attempts_end_changes_no_time_that_is_known(
    task_in: Any,
) -> None:
    task = task_in("failure")
    before = task.history.values().get()

    task.note_that_handler_returned()

    assert task.history.values().get() == before


def test_a_running_task_is_never_at_a_hundred_percent(task_in: Any) -> None:
    task = task_in("processing")

    task.record_progress(200, 200)

    assert Task.objects.get(pk=task.pk).progress == 99


def test_cancelling_a_pending_task_ends_it_at_once(task_in: Any) -> None:
    task = task_in("pending")
    task.wait_for_turn()

    task.cancel("mia")

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Cancelled by mia")
    assert task.expires_at is not None
    assert task.turn is None  # or else it would keep its owner's next task waiting


def test_cancelling_a_running_task_again_keeps_the_first_asker(task_in: Any) -> None:
    task = task_in("cancelling")

    task.cancel("leo")

    task.refresh_from_db()
    assert task.cancel_requested_by == "mia"


def test_a_retry_is_a_new_task_that_does_the_same(make_task: Callable[..., Task]) -> None:
    failed = make_task(name="label", input={"do": "fail"}, image_id="i", user_id="1")
    failed.start("worker")
    failed.fail("reason")

    task = retry_task(failed, user_id="2", request_id="req-2")

    assert (task.type, task.name, task.input, task.owner) == (
        "workload",
        "label",
        {"do": "fail"},
        "1",
    )
    assert (task.user_id, task.request_id, task.retry_of) == ("2", "req-2", failed.pk)
    assert (task.status, task.attempts, task.message) == ("pending", 0, "")


def test_the_last_attempt_that_is_lost_fails_the_task(
    make_task: Callable[..., Task], image_tasks: Any
) -> None:
    image_tasks["MAX_ATTEMPTS"] = 1
    task = make_task()
    task.start("worker")
    Task.objects.filter(pk=task.pk).update(lease_expires_at=timezone.now())

    task.end_lost_attempt()

    assert task.status == "failure"
    assert task.message == "The worker was lost, in the last of 1 attempts"


def test_a_message_that_a_database_cannot_keep_is_made_fit(make_task: Callable[..., Task]) -> None:
    task = make_task()
    task.start("worker")

    task.fail("a\0b\ud800c")

    task.refresh_from_db()
    assert task.message == "ab?c"


@pytest.mark.parametrize(
    "values",
    [
        {"status": "queued"},
        {"progress": 101},
        {"status": "success"},
        {"finished_at": timezone.now()},
    ],
)
def test_the_database_itself_refuses_rows_that_cannot_be(task_in: Any, values: Any) -> None:
    task = task_in("pending")

    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(**values)
