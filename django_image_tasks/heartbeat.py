"""The thread that keeps the leases of a process's attempts, and has them stop when they must."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Event, Thread
from typing import Any

from django.db import close_old_connections, connections
from django.db.models import F
from django.db.models.lookups import LessThanOrEqual

from django_image_tasks import tickets
from django_image_tasks.clock import DatabaseNow
from django_image_tasks.conf import conf
from django_image_tasks.context import TaskContext
from django_image_tasks.exceptions import (
    DeadlineExceeded,
    HandedOver,
    InvalidTransition,
    LeaseLost,
    TaskCancelled,
)
from django_image_tasks.log_lines import line, with_traceback
from django_image_tasks.models import Task
from django_image_tasks.states import Status

logger = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two looks at the attempts."""
LOOK = ["pk", "status", "attempts", "lease_owner", "cancel_requested_at", "is_expired"]


class Watched:
    """An attempt that the heartbeat looks after."""

    def __init__(self, context: TaskContext, should_stop: Callable[[], bool] | None) -> None:
        self.context = context
        self.renewed_at = time.monotonic()
        self.told_at: float | None = None
        self._should_stop = should_stop
        self._ending: Thread | None = None

    def tell(self) -> None:
        """Note that the worker was told to stop. A signal handler may call it at any moment."""
        if self.told_at is None:
            self.told_at = time.monotonic()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Ask the queue while the block runs, once a second, whether the worker was told to stop.

        That has a thread of its own. RQ asks Redis, which may be away for longer than a lease.
        """
        over = Event()
        if self._should_stop:
            Thread(target=self._listen, args=(self._should_stop, over), daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _listen(self, should_stop: Callable[[], bool], over: Event) -> None:
        while self.told_at is None and not over.wait(BEAT):
            try:
                if should_stop():
                    self.tell()
            except Exception as error:  # the broker is away: a later answer is in time
                task = self.context.task_id
                logger.warning(with_traceback("stop_not_heard", error, task=task))
            finally:
                connections.close_all()

    @property
    def must_be_handed_over(self) -> bool:
        """Whether the worker was told to stop so long ago that the task cannot be waited for."""
        grace = conf.STOP_GRACE_TIME.total_seconds()
        return self.told_at is not None and time.monotonic() - self.told_at >= grace

    def look_at(self, row: dict[str, Any] | None, *, paused: bool) -> None:
        """Do what the row calls for: renew the lease, or end the attempt and stop its handler.

        ``paused`` says that this process was stopped or starved, so that an expired lease is lost.
        """
        task, context = self.context.task, self.context
        if context.stopped.is_set() or (self._ending and self._ending.is_alive()):
            return
        held = Status.PROCESSING, task.attempts, task.lease_owner
        if not row or (row["status"], row["attempts"], row["lease_owner"]) != held:
            context.stop(LeaseLost("Another worker has the task"))
        elif row["cancel_requested_at"]:
            self._end(Task.carry_out_cancel, TaskCancelled("Cancelled"))
        elif row["is_expired"] and paused:
            context.stop(LeaseLost("The worker was asleep for longer than its lease"))
        elif context.is_overdue:
            reason = DeadlineExceeded(f"Took longer than the limit of {conf.TASK_TIMEOUT}")
            self._end(lambda task, **more: task.fail(str(reason), **more), reason)
        elif self.must_be_handed_over:
            self._end(Task.hand_over, HandedOver("The worker was told to stop"))
        elif row["is_expired"] or time.monotonic() >= self.renewed_at + lease_seconds() / 3:
            with suppress(InvalidTransition):  # the next look tells why
                task.renew_lease()
                self.renewed_at = time.monotonic()

    def join(self) -> None:
        """Wait until an end that has begun is written, as long as that takes in good health."""
        if self._ending:
            self._ending.join(timeout=10)

    def _end(self, verb: Callable[..., None], reason: Any) -> None:
        # In a thread of its own: receivers of signals and a broker take their time, in which the
        # leases of the other attempts would run out.
        self._ending = Thread(target=self._end_now, args=(verb, reason), daemon=True)
        self._ending.start()

    def _end_now(self, verb: Callable[..., None], reason: Any) -> None:
        try:
            if task := self.context.task.row_if_held().first():
                verb(task, handler_returned=False)
        except InvalidTransition:
            pass  # its handler has just ended it, or the next look tells why
        except Exception as error:
            logger.error(with_traceback("attempt_not_ended", error, task=self.context.task_id))
        finally:
            self.context.stop(reason)
            if isinstance(reason, HandedOver):
                logger.info(line("task_handed_over", task=self.context.task_id))
                tickets.publish(self.context.task_id)
            connections.close_all()


class Heartbeat(Thread):
    """Looks at all attempts of this process each second, on a connection of its own."""

    def __init__(self) -> None:
        super().__init__(name="image-tasks-heartbeat", daemon=True)
        self._condition = Condition()
        self._watched: list[Watched] = []
        self._beats = 0

    @contextmanager
    def watching(
        self, context: TaskContext, should_stop: Callable[[], bool] | None
    ) -> Iterator[Watched]:
        """Look after an attempt while the block runs."""
        watched = Watched(context, should_stop)
        with self._condition:
            self._watched.append(watched)
            if not self.is_alive():
                self.start()
            self._condition.notify_all()
        try:
            with watched.listening():
                yield watched
        finally:
            watched.join()
            with self._condition:
                self._watched.remove(watched)

    def wait_for_look(self) -> None:
        """Wait until the next look is over, which has renewed each lease that can be saved."""
        with self._condition:
            awaited = self._beats + 2  # the first may have begun already
            self._condition.wait_for(lambda: self._beats >= awaited, timeout=10 * BEAT)

    def run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._watched)
            asleep_at = time.monotonic()
            time.sleep(BEAT)
            paused = time.monotonic() - asleep_at > lease_seconds() / 2
            try:
                self._look(paused=paused)
            except Exception as error:  # the database is away: the next look may find it
                logger.warning(with_traceback("heartbeat_failed", error))
            finally:
                # A new connection for each look takes thirty times as much of PostgreSQL as the
                # look. It is kept for CONN_MAX_AGE, as a request's, while there is one to make.
                close_old_connections() if self._watched else connections.close_all()
                with self._condition:
                    self._beats += 1
                    self._condition.notify_all()

    def _look(self, *, paused: bool) -> None:
        watched = [*self._watched]
        is_expired = LessThanOrEqual(F("lease_expires_at"), DatabaseNow())
        tasks = Task.objects.for_deciding().filter(
            pk__in={each.context.task_id for each in watched}
        )
        rows = {row["pk"]: row for row in tasks.annotate(is_expired=is_expired).values(*LOOK)}
        for each in watched:
            each.look_at(rows.get(each.context.task_id), paused=paused)


def lease_seconds() -> float:
    """``LEASE`` in seconds."""
    return conf.LEASE.total_seconds()


def of_this_process() -> Heartbeat:
    """The heartbeat of this process, made on first use. A forked process makes one of its own."""
    pid = os.getpid()
    return _of_process.get(pid) or _of_process.setdefault(pid, Heartbeat())


_of_process: dict[int, Heartbeat] = {}
