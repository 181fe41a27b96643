"""Runs one attempt at a task: claim it, run its handler, record how that ended.

Every write names the worker and the attempt that it is for. So of two workers that both believe
they hold a task only one can write, and delivering a task twice does no harm.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import (
    AttemptFailed,
    DeadlineExceeded,
    InvalidInput,
    InvalidTransition,
    LeaseLost,
    TaskCancelled,
    TaskFailed,
    UnknownTaskType,
)
from django_image_tasks.handlers import registry
from django_image_tasks.handlers.base import Handler
from django_image_tasks.json_values import check_json, json_size
from django_image_tasks.log_lines import line, with_traceback
from django_image_tasks.models import Leftover, Task
from django_image_tasks.scratch import scratch
from django_image_tasks.states import Status

logger = logging.getLogger(__name__)

MAX_RESULT_SIZE = 2**20
"""Bytes of JSON. Every database, as it is installed, accepts a statement of this size."""
PROGRESS_INTERVAL = 1.0
"""Seconds between two writes of progress."""


class TaskContext:
    """The :class:`~django_image_tasks.handlers.base.Context` that a handler is given."""

    def __init__(self, task: Task, scratch: Path) -> None:
        self._task = task
        self._written_at = time.monotonic()
        self.task_id = task.pk
        self.attempt = task.attempts
        self.input: Mapping[str, Any] = task.input
        self.scratch = scratch
        self.deadline: datetime = timezone.now() + conf.TASK_TIMEOUT

    def progress(self, done: int, total: int | None = None) -> None:
        """Write the progress, once a second at most. Raises what :meth:`check` raises."""
        if time.monotonic() - self._written_at >= PROGRESS_INTERVAL:
            self._write(done, total)

    def check(self) -> None:
        """Renew the lease. Raises DeadlineExceeded, TaskCancelled or LeaseLost."""
        self._write(self._task.bytes_done, self._task.bytes_total)

    def _write(self, done: int, total: int | None) -> None:
        self._written_at = time.monotonic()
        if timezone.now() >= self.deadline:
            raise DeadlineExceeded(f"Took longer than the limit of {conf.TASK_TIMEOUT}")
        try:
            self._task.record_progress(done, total)
        except InvalidTransition:
            raise _why_stopped(self._task) from None


def run(task_id: UUID) -> None:
    """Run the next attempt at this task, if it is due and nobody else runs it.

    Raises Django's OperationalError or InterfaceError if the database is away. Whatever else goes
    wrong is recorded with the task.
    """
    task = claim(task_id)
    if task is None:
        return
    started = time.monotonic()
    try:
        record = _run_handler(task)
        # Not recorded in an ``except`` clause, where an error of the database would get the
        # handler's error as its context, and with it texts that no log may show.
        record()
    except InvalidTransition:
        _abandon(task)
    _log("task_ended", task, status=task.status, duration=f"{time.monotonic() - started:.3f}")


def claim(task_id: UUID) -> Task | None:
    """Start an attempt in this worker's name. Returns ``None`` if the task is gone or not due."""
    task = Task.objects.filter(pk=task_id).first()
    if task is None:
        logger.info(line("task_skipped", task=task_id, reason="gone"))
        return None
    worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
    try:
        if task.status == Status.PROCESSING:
            end_lost_attempt(task)
        task.start(worker)
    except InvalidTransition:
        _log("task_skipped", task, reason="not_due")
        return None
    _log("task_started", task, worker=worker)
    return task


def end_lost_attempt(task: Task) -> None:
    """End the attempt of a worker whose lease ran out, and remove what it left.

    Raises InvalidTransition if the lease has not run out, or if somebody else was faster.
    """
    task.end_lost_attempt()
    _log("task_recovered", task, status=task.status)
    discard(task.leftover())


def _run_handler(task: Task) -> Callable[[], None]:
    """Run the handler. Returns a function that records how it ended.

    Raises InvalidTransition if the attempt is cancelled or another worker's by now.
    """
    try:
        handler = registry.get_handler(task.type)
        return partial(_succeed, task, handler, _result(handler, task))
    except AttemptFailed as error:
        return partial(_end_failed_attempt, task, str(error))
    except (TaskFailed, UnknownTaskType, DeadlineExceeded) as error:
        return partial(_fail, task, str(error))
    except (TaskCancelled, LeaseLost):
        raise InvalidTransition from None
    except (OperationalError, InterfaceError):
        # Without a database nothing can be recorded. The lease runs out, and a sweep finds it.
        raise
    except Exception as error:
        logger.error(with_traceback("handler_error", error, task=task.pk, request=task.request_id))
        message = f"Unexpected {type(error).__name__}; the log of {task.lease_owner} has more"
        return partial(_fail, task, message)


def _result(handler: Handler, task: Task) -> Mapping[str, Any]:
    """Run the handler. Raises TaskFailed if its result is no JSON, or too large."""
    with scratch(f"{task.pk}-{task.attempts}") as directory:
        result = handler.run(TaskContext(task, directory))
    try:
        check_json(result)
    except InvalidInput as error:
        raise TaskFailed(f"The handler's result cannot be kept: {error}") from None
    if (size := json_size(result)) > MAX_RESULT_SIZE:
        raise TaskFailed(
            f"The handler's result cannot be kept: it takes {size} bytes, more than 1 MiB"
        )
    return result


def _succeed(task: Task, handler: Handler, result: Mapping[str, Any]) -> None:
    task.succeed(result)
    if handler.succeeded:
        handler.succeeded.send_robust(Task, task=task, result=result)


def _end_failed_attempt(task: Task, message: str) -> None:
    if task.attempts >= conf.MAX_ATTEMPTS:
        _fail(task, f"{message} (in the last of {task.attempts} attempts)")
    else:
        delay = conf.NEXT_ATTEMPT_DELAY * 2 ** (task.attempts - 1)
        task.schedule_next_attempt(message, timezone.now() + delay)
        discard(task.leftover())


def _fail(task: Task, message: str) -> None:
    task.fail(message)
    discard(task.leftover())


def _abandon(task: Task) -> None:
    """End an attempt that may not record its outcome: it is cancelled, or another worker's."""
    held = task.row_if_held().first()
    try:
        if held is None:
            raise InvalidTransition
        held.carry_out_cancel()
    except InvalidTransition:
        _log("lease_lost", task)
    discard(task.leftover())


def _why_stopped(task: Task) -> TaskCancelled | LeaseLost:
    held = task.row_if_held().exists()
    return TaskCancelled("Cancelled") if held else LeaseLost("Another worker has the task")


def discard(leftover: Leftover) -> bool:
    """Have the handler remove what an attempt left. Returns whether that is done.

    If it fails, the error is logged, and a later sweep tries again.
    """
    try:
        handler = registry.get_handler(leftover.task_type)
        handler.discard(leftover.task_id, leftover.attempt, leftover.input)
    except UnknownTaskType:
        pass
    except Exception as error:
        # Not raised: the attempt has ended, and must not be run again for what it left.
        fields = {"task": leftover.task_id, "attempt": leftover.attempt}
        logger.error(with_traceback("discard_failed", error, **fields))
        leftover.postpone()
        return False
    leftover.forget()
    return True


def _log(event: str, task: Task, **more: Any) -> None:
    fields = {"task": task.pk, "owner": task.owner, "request": task.request_id}
    logger.info(line(event, **fields, attempt=task.attempts, **more))
