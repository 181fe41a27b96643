"""What a handler learns from its context, and when."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from django_image_tasks import context as contexts
from django_image_tasks.context import TaskContext
from django_image_tasks.exceptions import HandedOver, LeaseLost, TaskCancelled
from django_image_tasks.models import Task
from tests.databases import away


@pytest.fixture
def context(make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch) -> TaskContext:
    """That of a running attempt, which writes each progress."""
    monkeypatch.setattr(contexts, "WRITE_INTERVAL", 0)
    task = make_task()
    task.start("worker")
    return TaskContext(task, has_heartbeat=True)


def row(context: TaskContext) -> Task:
    return Task.objects.get(pk=context.task_id)


def test_the_first_reason_to_stop_is_the_one_that_counts(context: TaskContext) -> None:
    context.stop(HandedOver("The worker was told to stop"))
    context.stop(TaskCancelled("Cancelled"))

    with pytest.raises(HandedOver):
        context.check()


@pytest.mark.parametrize("say", ["check", "progress"])
def test_whoever_must_stop_is_told_at_every_turn(context: TaskContext, say: str) -> None:
    context.stop(TaskCancelled("Cancelled"))

    for _ in range(2):
        with pytest.raises(TaskCancelled):
            context.check() if say == "check" else context.progress(1, 2)


def test_a_callback_is_called_while_its_block_runs_and_not_behind_it(context: TaskContext) -> None:
    called: list[str] = []
    with context.on_stop(lambda: called.append("left")):
        pass

    with context.on_stop(lambda: called.append("running")):
        context.stop(TaskCancelled("Cancelled"))

    assert called == ["running"]


def test_no_block_begins_that_would_have_to_stop(context: TaskContext) -> None:
    context.stop(TaskCancelled("Cancelled"))

    with pytest.raises(TaskCancelled), context.on_stop(lambda: None):
        pytest.fail("The block has begun.")


def test_a_callback_that_raises_keeps_no_other_from_being_called(
    context: TaskContext, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[bool] = []

    with context.on_stop(lambda: os.close(-1)), context.on_stop(lambda: called.append(True)):
        context.stop(TaskCancelled("Cancelled"))

    assert called == [True]
    assert f"stop_callback_failed task={context.task_id}" in caplog.text


def test_progress_tells_of_a_cancel_that_no_heartbeat_has_seen_yet(context: TaskContext) -> None:
    row(context).cancel("mia")

    with pytest.raises(TaskCancelled):
        context.progress(1, 2)


def test_progress_tells_of_a_task_that_was_taken(context: TaskContext) -> None:
    row(context).hand_over()

    with pytest.raises(LeaseLost):
        context.progress(1, 2)


def test_a_database_that_is_away_costs_a_progress_and_no_attempt(
    transactional_db: None, context: TaskContext, caplog: pytest.LogCaptureFixture
) -> None:
    with away():
        context.progress(1, 4)

    context.progress(2, 4)
    assert row(context).progress == 50
    assert f"progress_not_written task={context.task_id}" in caplog.text


def test_any_other_fault_of_a_progress_is_raised(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise DatabaseError("no such column")

    monkeypatch.setattr(Task, "record_progress", fail)

    with pytest.raises(DatabaseError):
        context.progress(1, 2)
