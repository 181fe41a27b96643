"""Random walks of several workers and sweeps over one task: what is promised holds at each step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import integers

from django_image_tasks import claims
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED, Status
from django_image_tasks.sweep import sweep

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 3
LEASE = timedelta(hours=1)
workers = integers(0, WORKERS - 1)


class Machine(RuleBasedStateMachine):
    """Each worker holds the task as it was when it claimed it, as a process does."""

    def __init__(self) -> None:
        super().__init__()
        Task.objects.all().delete()
        self.task = Task.objects.create(type="workload", owner="1", turn=0, lease_expires_at=None)
        self.held: dict[int, Task] = {}
        self.ended: tuple[Any, ...] | None = None
        self.losses, self.hand_overs, self.cancelled = 0, 0, False
        self.kept: tuple[int, int] | None = None

    def holder(self) -> int | None:
        """The worker whose lease runs."""
        row = self.row()
        if row.status != Status.PROCESSING or row.lease_expires_at <= timezone.now():
            return None
        held = (each for each, task in self.held.items() if task.attempts == row.attempts)
        return next(held, None)

    @staticmethod
    def kept_in(task: Task) -> tuple[int, int] | None:
        """The step of the checkpoint that a task has, and whose it is."""
        if task.checkpoint is None or task.checkpoint_attempt is None:
            return None
        return task.checkpoint["step"], task.checkpoint_attempt

    def row(self) -> Task:
        return Task.objects.get(pk=self.task.pk)

    def write(self, worker: int, verb: Callable[[Task], None]) -> bool:
        """Have a worker write. Nobody but the holder of an uncancelled task may."""
        may, before = worker == self.holder() and not self.cancelled, self.row()
        try:
            verb(self.held[worker])
        except InvalidTransition:
            assert not may
            after = self.row()
            assert [getattr(after, name) for name in SEEN] == [
                getattr(before, name) for name in SEEN
            ]
            return False
        assert may
        return True

    def knows(self, worker: int) -> bool:
        return worker in self.held

    @rule(worker=workers)
    def claim(self, worker: int) -> None:
        was_waiting = self.row().turn is not None
        if task := claims.claim_next(LEASE):
            assert was_waiting or self.row().attempts == task.attempts
            self.held[worker] = task
            assert self.kept_in(task) == self.kept

    @rule(worker=workers)
    def beat(self, worker: int) -> None:
        """Renew a lease, even one that has run out and that nobody has taken."""
        row = self.row()
        mine = worker in self.held and row.attempts == self.held[worker].attempts
        may = mine and row.status == Status.PROCESSING and not self.cancelled
        try:
            self.held[worker].renew_lease() if worker in self.held else None
        except InvalidTransition:
            assert not may

    @rule(worker=workers, done=integers(0, 100))
    def progress(self, worker: int, done: int) -> None:
        if self.knows(worker):
            self.write(worker, lambda task: task.record_progress(done, 100))

    @rule(worker=workers, step=integers(0, 100))
    def checkpoint(self, worker: int, step: int) -> None:
        if self.knows(worker):
            task = self.held[worker]
            before = task.checkpoint, task.checkpoint_attempt
            task.checkpoint, task.checkpoint_attempt = {"step": step}, task.attempts
            if self.write(worker, Task.record_checkpoint):
                self.kept = step, task.attempts
            else:
                task.checkpoint, task.checkpoint_attempt = before

    @rule(worker=workers)
    def succeed(self, worker: int) -> None:
        if self.knows(worker):
            self.write(worker, lambda task: task.succeed({"worker": worker}))

    @rule(worker=workers)
    def fail(self, worker: int) -> None:
        if self.knows(worker):
            self.write(worker, lambda task: task.fail("No"))

    @rule(worker=workers)
    def hand_over(self, worker: int) -> None:
        if self.knows(worker) and self.write(worker, Task.hand_over):
            self.hand_overs += 1

    @rule(worker=workers)
    def try_again(self, worker: int) -> None:
        if self.knows(worker) and self.held[worker].may_be_tried_again:
            again = timedelta(seconds=-1)
            if self.write(worker, lambda task: task.schedule_next_attempt("Again", again)):
                self.losses += 1

    @rule()
    def cancel(self) -> None:
        try:
            self.row().cancel("mia")
            self.cancelled = True
        except InvalidTransition:
            assert self.ended

    @rule(worker=workers)
    def carry_out_cancel(self, worker: int) -> None:
        if self.knows(worker):
            held = self.held[worker].row_if_held().first()
            if held and self.cancelled:
                held.carry_out_cancel()

    @precondition(lambda self: self.holder() is not None)
    @rule()
    def fall_silent(self) -> None:
        """The lease runs out."""
        past = timezone.now() - timedelta(seconds=1)
        Task.objects.filter(pk=self.task.pk).update(lease_expires_at=past)

    @rule()
    def sweep(self) -> None:
        before = self.row()
        was_lost = before.status == Status.PROCESSING and self.holder() is None
        swept = sweep()
        assert swept.recovered == was_lost
        if was_lost and not self.cancelled:
            self.losses += 1

    @rule()
    def sweep_late(self) -> None:
        """Another sweep, which had seen the task before it was given back, takes nothing."""
        seen = self.row()
        was_lost = seen.status == Status.PROCESSING and self.holder() is None
        for first in (True, False):
            try:
                Task.end_lost_attempt(self.row() if first else seen)
                assert first
                assert was_lost
                self.losses += not self.cancelled
            except InvalidTransition:
                assert not (first and was_lost)

    @invariant()
    def what_ended_stays(self) -> None:
        row = self.row()
        end = (row.status, row.result, row.message, row.finished_at, row.expires_at)
        if self.ended:
            assert end == self.ended
        elif row.status in FINISHED:
            self.ended = end

    @invariant()
    def attempts_are_counted(self) -> None:
        row = self.row()
        history = list(row.history.order_by("number"))
        assert [attempt.number for attempt in history] == [*range(1, row.attempts + 1)]
        assert row.failed_attempts <= self.losses <= 3
        assert self.losses - row.failed_attempts <= (row.status == Status.FAILURE)
        running = [attempt for attempt in history if not attempt.outcome]
        assert len(running) == (row.status == Status.PROCESSING)
        assert sum(attempt.outcome == "success" for attempt in history) == (row.status == "success")
        assert sum(attempt.outcome == "handed_over" for attempt in history) == self.hand_overs

    @invariant()
    def only_the_last_that_was_kept_is_found(self) -> None:
        """It is the holder's alone to change, and it outlives the attempt, the loss and the end."""
        row = self.row()
        assert self.kept_in(row) == self.kept
        assert (row.checkpoint_attempt or 0) <= row.attempts

    @invariant()
    def it_is_never_out_of_sight(self) -> None:
        """It has a turn, a time at which the sweep looks, or an end."""
        row = self.row()
        waits = row.status == Status.PENDING and row.turn is not None
        assert waits or row.lease_expires_at is not None or row.status in FINISHED
        assert row.turn is None or row.status == Status.PENDING


SEEN = (
    "status",
    "attempts",
    "failed_attempts",
    "progress",
    "result",
    "message",
    "lease_owner",
    "turn",
    "checkpoint",
    "checkpoint_attempt",
)


def test_what_is_promised_holds_whatever_happens(
    image_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_tasks["ENGINE"] = "tests.engine.workload"
    monkeypatch.setattr("django_image_tasks.sweep.SECOND_LOOK", 0)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[*HealthCheck],
        ),
    )
