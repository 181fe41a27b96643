"""A host's receivers of our signals: one that fails takes neither the run nor the others along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from django_image_tasks import bulk, context, executor
from django_image_tasks.models import Task
from django_image_tasks.signals import task_finished, task_progressed, task_started
from tests.engine import workload

pytestmark = pytest.mark.django_db(transaction=True)


def fail(**kwargs: object) -> None:
    raise ValueError("The host's own row could not be made")


nameless = partial(fail)
"""Django logs the error of a receiver by its name; where there is none, the logging fails too."""


@pytest.fixture
def progressing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that reports progress once."""
    monkeypatch.setattr(context, "WRITE_INTERVAL", 0)
    monkeypatch.setattr(
        workload.Callback, "during", staticmethod(lambda context: context.progress(1, 2))
    )


@pytest.fixture
def heard(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """The status of each task that a signal tells of, behind a receiver that fails."""
    signal, failing = request.param
    heard: list[str] = []

    def hear(task: Task, **kwargs: object) -> None:
        heard.append(task.status)

    signal.connect(failing)
    signal.connect(hear)
    yield heard
    signal.disconnect(failing)
    signal.disconnect(hear)


@pytest.mark.parametrize(
    ("heard", "status"),
    [
        ((task_started, fail), "processing"),
        ((task_progressed, fail), "processing"),
        ((task_finished, fail), "success"),
    ],
    indirect=["heard"],
)
def test_a_receiver_that_fails_keeps_no_other_from_hearing(
    make_task: Callable[..., Task], progressing: None, heard: list[str], status: str
) -> None:
    task = make_task("callback")

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, heard) == ("success", [status])


@pytest.mark.parametrize(
    "heard",
    [(task_started, nameless), (task_progressed, nameless), (task_finished, nameless)],
    indirect=True,
)
def test_a_receiver_that_fails_and_has_no_name_costs_no_run(
    make_task: Callable[..., Task], progressing: None, heard: list[str]
) -> None:
    task = make_task("callback")

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.attempts, task.failed_attempts) == ("success", 1, 0)


def test_an_end_that_cannot_be_announced_is_an_end(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Task, "announce_end", lambda task: fail())
    monkeypatch.setattr(Task, "announce_ends", lambda tasks: fail())
    task_finished.connect(fail)
    run, cancelled = make_task(), make_task()

    try:
        executor.run(run.pk)
        [step] = bulk.cancel_tasks([cancelled.pk], "ada")
    finally:
        task_finished.disconnect(fail)

    run.refresh_from_db()
    assert (run.status, run.attempts) == ("success", 1)
    assert step.ended == [cancelled]


@pytest.fixture
def heard_of_all() -> Iterator[list[Any]]:
    """The signals that were sent."""
    heard: list[Any] = []

    def hear(signal: Any, **kwargs: object) -> None:
        heard.append(signal)

    signals = task_started, task_progressed, task_finished
    for signal in signals:
        signal.connect(hear)
    yield heard
    for signal in signals:
        signal.disconnect(hear)


def test_nothing_is_told_of_a_transaction_that_is_rolled_back(
    make_task: Callable[..., Task], heard_of_all: list[Any]
) -> None:
    task, other = make_task(), make_task()

    with transaction.atomic():
        task.cancel("mia")
        other.start("worker")
        transaction.set_rollback(True)

    assert heard_of_all == []
