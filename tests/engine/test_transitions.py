from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.models import Task
from django_image_tasks.services import retry_task

VERBS = {
    "start": lambda task: task.start("worker"),
    "record_progress": lambda task: task.record_progress(1, 2),
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
        return Task.objects.get(pk=task.pk)

    return make


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


def test_cancelling_a_pending_task_ends_it_at_once(task_in: Any) -> None:
    task = task_in("pending")

    task.cancel("mia")

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Cancelled by mia")
    assert task.expires_at is not None


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
