"""What a handler is given for one attempt, and by which it learns that it must stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from django.db import DatabaseError, connections, router
from django.utils import timezone

from django_image_tasks.conf import conf
from django_image_tasks.database_faults import is_temporary
from django_image_tasks.exceptions import (
    DeadlineExceeded,
    InvalidTransition,
    LeaseLost,
    TaskCancelled,
    TaskFailed,
    TaskInterrupted,
)
from django_image_tasks.log_lines import with_traceback
from django_image_tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

logger = logging.getLogger(__name__)

PROGRESS_INTERVAL = 1.0
"""Seconds between two writes of progress."""

IN_TRANSACTION = (
    "progress() was called inside transaction.atomic(), where it would lock the task's row until "
    "that transaction ends. Call it outside."
)


class TaskContext:
    """The :class:`~django_image_tasks.handlers.base.Context` that a handler is given.

    A heartbeat calls :meth:`stop` from its own thread. Without one (``has_heartbeat``) the context
    asks the database itself.
    """

    scratch: Path

    def __init__(self, task: Task, *, has_heartbeat: bool) -> None:
        self.task = task
        self.has_heartbeat = has_heartbeat
        self.task_id = task.pk
        self.attempt = task.attempts
        self.input: Mapping[str, Any] = task.input
        self.deadline: datetime = timezone.now() + conf.TASK_TIMEOUT
        self.stopped = Event()
        self.reason: TaskInterrupted | None = None
        self._overdue_at = time.monotonic() + conf.TASK_TIMEOUT.total_seconds()
        self._written_at = time.monotonic()
        self._callbacks: list[Callable[[], object]] = []
        self._lock = Lock()
        self._connection = connections[router.db_for_write(Task)]
        self._depth = len(self._connection.atomic_blocks)

    def progress(self, done: int, total: int | None = None) -> None:
        """Write the progress, once a second at most. Raises what :meth:`check` raises."""
        self._raise_if_stopped()
        if time.monotonic() - self._written_at < PROGRESS_INTERVAL:
            return
        if len(self._connection.atomic_blocks) > self._depth:
            raise TaskFailed(IN_TRANSACTION)
        self._written_at = time.monotonic()
        try:
            self.task.record_progress(done, total)
        except InvalidTransition:
            self._find_out()
        except DatabaseError as error:
            # The database is away, which costs this progress and not the attempt: the heartbeat
            # has the lease renewed as soon as it is back.
            if not is_temporary(error):
                raise
            logger.warning(with_traceback("progress_not_written", error, task=self.task_id))
            self._connection.close_if_unusable_or_obsolete()

    def check(self) -> None:
        """Raise DeadlineExceeded, TaskCancelled, HandedOver or LeaseLost if the attempt must stop.

        With a heartbeat that is known without asking the database.
        """
        self._raise_if_stopped()
        if not self.has_heartbeat:
            self._find_out()

    @contextmanager
    def on_stop(self, callback: Callable[[], object]) -> Iterator[None]:
        """Have this function called, in another thread, if the attempt must stop in this block."""
        with self._lock:
            self._callbacks.append(callback)
        try:
            self._raise_if_stopped()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def stop(self, reason: TaskInterrupted) -> None:
        """Have the handler stop for this reason. Only the first reason counts."""
        with self._lock:
            if self.reason is not None:
                return
            self.reason = reason
            self.stopped.set()
            callbacks = [*self._callbacks]
        for callback in callbacks:
            try:
                callback()
            except Exception as error:  # must not end the heartbeat of other attempts
                logger.error(with_traceback("stop_callback_failed", error, task=self.task_id))

    @property
    def is_overdue(self) -> bool:
        """Whether the attempt has run for longer than ``TASK_TIMEOUT``."""
        return time.monotonic() >= self._overdue_at

    def _raise_if_stopped(self) -> None:
        if self.is_overdue:
            self.stop(DeadlineExceeded(f"Took longer than the limit of {conf.TASK_TIMEOUT}"))
        if self.reason is not None:
            raise self.reason.with_traceback(None)

    def _find_out(self) -> None:
        """Ask the database whether the attempt must stop."""
        held = self.task.row_if_held().only("cancel_requested_at").first()
        if held is None:
            self.stop(LeaseLost("Another worker has the task"))
        elif held.cancel_requested_at:
            self.stop(TaskCancelled("Cancelled"))
        self._raise_if_stopped()
