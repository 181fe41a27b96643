"""What a handler is given for one attempt, and by which it learns that it must stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from django.db import DatabaseError, connections, router
from django.utils import timezone

from django_image_tasks import scratch
from django_image_tasks.conf import conf
from django_image_tasks.database_faults import is_temporary
from django_image_tasks.exceptions import (
    DeadlineExceeded,
    InvalidInput,
    InvalidTransition,
    LeaseLost,
    ScratchFailed,
    TaskCancelled,
    TaskFailed,
    TaskInterrupted,
)
from django_image_tasks.json_values import check_json, json_size
from django_image_tasks.log_lines import with_traceback
from django_image_tasks.models import Task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from django_image_tasks.handlers.base import Kept

logger = logging.getLogger(__name__)

WRITE_INTERVAL = 1.0
"""Seconds between two writes of progress, or of checkpoints."""
MAX_CHECKPOINT_SIZE = 8 * 2**10
"""Bytes of JSON."""

IN_TRANSACTION = (
    "{what}() was called inside transaction.atomic(), where it would lock the task's row until "
    "that transaction ends. Call it outside."
)


class TaskContext:
    """The :class:`~django_image_tasks.handlers.base.Context` that a handler is given.

    A heartbeat calls :meth:`stop` from its own thread. Without one (``has_heartbeat``) the context
    asks the database itself.
    """

    scratch: Path
    kept: Kept | None = None

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
        self._written_at = dict.fromkeys(("progress", "checkpoint"), time.monotonic())
        self._has_checkpoint_to_write = False
        self._callbacks: list[Callable[[], object]] = []
        self._lock = Lock()
        self._connection = connections[router.db_for_write(Task)]
        self._depth = len(self._connection.atomic_blocks)

    def progress(self, done: int, total: int | None = None) -> None:
        """Write the progress, once a second at most. Raises what :meth:`check` raises."""
        self._raise_if_stopped()
        if self._has_checkpoint_to_write:
            self._write("checkpoint", self._record_checkpoint)
        self._write("progress", lambda: self.task.record_progress(done, total))

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep a state for the next attempt. Raises what :meth:`check` raises, and TaskFailed."""
        self._raise_if_stopped()
        _check_state(state)
        if self.task.checkpoint_attempt != self.attempt:
            try:
                scratch.keep(self.scratch)
            except OSError as error:
                raise ScratchFailed(error) from error
        # Written now, with a later progress, or when the attempt asks for another one.
        self.task.checkpoint, self.task.checkpoint_attempt = deepcopy(state), self.attempt
        self._has_checkpoint_to_write = True
        self._write("checkpoint", self._record_checkpoint)

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

    def _record_checkpoint(self) -> None:
        self.task.record_checkpoint()
        self._has_checkpoint_to_write = False

    def _write(self, what: str, write: Callable[[], None]) -> None:
        """Write to the task's row, unless the same was written within the last second."""
        if time.monotonic() - self._written_at[what] < WRITE_INTERVAL:
            return
        if len(self._connection.atomic_blocks) > self._depth:
            raise TaskFailed(IN_TRANSACTION.format(what=what))
        self._written_at[what] = time.monotonic()
        try:
            write()
        except InvalidTransition:
            self._find_out()
        except DatabaseError as error:
            # The database is away, which costs this write and not the attempt: the heartbeat has
            # the lease renewed as soon as it is back.
            if not is_temporary(error):
                raise
            logger.warning(with_traceback(f"{what}_not_written", error, task=self.task_id))
            self._connection.close_if_unusable_or_obsolete()

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


def _check_state(state: object) -> None:
    """Raise TaskFailed, with the reason, for a state that cannot be kept."""
    if reason := _reason_against(state):
        raise TaskFailed(f"The handler's checkpoint cannot be kept: {reason}")


def _reason_against(state: object) -> str:
    if not isinstance(state, dict):
        return f"it is {type(state).__name__}, no dict"
    try:
        check_json(state)
        size = json_size(state)
    except InvalidInput as error:
        return str(error)
    return f"it takes {size} bytes, more than 8 KiB" if size > MAX_CHECKPOINT_SIZE else ""
