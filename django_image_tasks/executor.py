"""Runs one attempt at a task: claim, handler, record.

Every write is fenced by worker and attempt, so that of two workers that both believe to hold a
task only one can write. Delivering a task twice is harmless.
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
    DeadlineExceeded,
    InvalidInput,
    InvalidTransition,
    LeaseLost,
    TaskCancelled,
    TaskFailed,
    TaskRetry,
    UnknownTaskType,
)
from django_image_tasks.handlers import registry
from django_image_tasks.handlers.base import Handler
from django_image_tasks.json_values import check_storable, json_size
from django_image_tasks.log_lines import line, with_traceback
from django_image_tasks.models import Leftover, Task
from django_image_tasks.scratch import scratch
from django_image_tasks.states import Status

logger = logging.getLogger(__name__)

MAX_RESULT_SIZE = 2**20
"""Bytes of JSON. Every database takes that much in one statement as it is installed."""
REPORT_INTERVAL = 1.0
"""Seconds between two writes of progress."""


class TaskContext:
    """What a handler sees of its task; see :class:`~django_image_tasks.handlers.base.Context`."""

    def __init__(self, task: Task, scratch: Path) -> None:
        self._task = task
        self._reported = time.monotonic()
        self.task_id = task.pk
        self.attempt = task.attempts
        self.input: Mapping[str, Any] = task.input
        self.scratch = scratch
        self.deadline: datetime = timezone.now() + conf.TASK_TIMEOUT

    def progress(self, done: int, total: int | None = None) -> None:
        if time.monotonic() - self._reported >= REPORT_INTERVAL:
            self._report(done, total)

    def check(self) -> None:
        self._report(self._task.bytes_done, self._task.bytes_total)

    def _report(self, done: int, total: int | None) -> None:
        self._reported = time.monotonic()
        if timezone.now() >= self.deadline:
            raise DeadlineExceeded(f"Took longer than the limit of {conf.TASK_TIMEOUT}")
        try:
            self._task.report(done, total)
        except InvalidTransition:
            raise _why_stopped(self._task) from None


def run(task_id: UUID) -> None:
    """Run the next attempt at this task, if it is due and nobody else runs it."""
    task = claim(task_id)
    if task is None:
        return
    started = time.monotonic()
    try:
        _attempt(task)
    except InvalidTransition:
        _abandon(task)
    _log("task_ended", task, status=task.status, duration=f"{time.monotonic() - started:.3f}")


def claim(task_id: UUID) -> Task | None:
    """Start an attempt in this worker's name; ``None`` if there is nothing to start."""
    task = Task.objects.filter(pk=task_id).first()
    if task is None:
        logger.info(line("task_skipped", task=task_id, reason="gone"))
        return None
    worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
    try:
        if task.status == Status.PROCESSING:
            recover(task)
        task.start(worker)
    except InvalidTransition:
        _log("task_skipped", task, reason="not_due")
        return None
    _log("task_started", task, worker=worker)
    return task


def recover(task: Task) -> None:
    """Take a task from a worker whose lease ran out, and remove what the attempt left.

    Raises InvalidTransition if the lease did not run out, or somebody else was first.
    """
    task.recover()
    _log("task_recovered", task, status=task.status)
    _discard(task)


def _attempt(task: Task) -> None:
    """Run the handler and record how it ended. Raises InvalidTransition if that is not allowed."""
    record = _run_handler(task)
    # Not in its except clauses: an error of the database would take the handler's along.
    record()


def _run_handler(task: Task) -> Callable[[], None]:
    """Run the handler; what is returned records how it ended."""
    try:
        handler = registry.get_handler(task.type)
        return partial(_succeed, task, handler, _result(handler, task))
    except TaskRetry as error:
        return partial(_retry, task, str(error))
    except (TaskFailed, UnknownTaskType, DeadlineExceeded) as error:
        return partial(_fail, task, str(error))
    except (TaskCancelled, LeaseLost):
        raise InvalidTransition from None
    except (OperationalError, InterfaceError):
        # Nothing can be recorded without a database. The lease runs out, and the sweep finds it.
        raise
    except Exception as error:
        logger.error(with_traceback("handler_error", error, task=task.pk, request=task.request_id))
        message = f"Unexpected {type(error).__name__}; the log of {task.lease_owner} has more"
        return partial(_fail, task, message)


def _result(handler: Handler, task: Task) -> Mapping[str, Any]:
    with scratch(f"{task.pk}-{task.attempts}") as directory:
        result = handler.run(TaskContext(task, directory))
    try:
        check_storable(result)
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


def _retry(task: Task, message: str) -> None:
    if task.attempts >= conf.MAX_ATTEMPTS:
        return _fail(task, f"{message} (in the last of {task.attempts} attempts)")
    task.try_again(message, timezone.now() + conf.RETRY_DELAY * 2 ** (task.attempts - 1))
    return _discard(task)


def _fail(task: Task, message: str) -> None:
    task.fail(message)
    _discard(task)


def _abandon(task: Task) -> None:
    """End an attempt that may not record its outcome: it is cancelled, or somebody else's."""
    held = Task.objects.held_by(task.lease_owner, task.attempts).filter(pk=task.pk).first()
    try:
        if held is None:
            raise InvalidTransition
        held.obey_cancel()
    except InvalidTransition:
        _log("lease_lost", task)
    _discard(task)


def _why_stopped(task: Task) -> TaskCancelled | LeaseLost:
    held = Task.objects.held_by(task.lease_owner, task.attempts).filter(pk=task.pk).exists()
    return TaskCancelled("Cancelled") if held else LeaseLost("Another worker has the task")


def _discard(task: Task) -> None:
    discard(task.leftover())


def discard(leftover: Leftover) -> bool:
    """Remove what an attempt left; what cannot be removed now stays remembered for the sweep."""
    try:
        handler = registry.get_handler(leftover.task_type)
        handler.discard(leftover.task_id, leftover.attempt, leftover.input)
    except UnknownTaskType:
        pass
    except Exception as error:
        # What an attempt left behind is no reason to run it again.
        fields = {"task": leftover.task_id, "attempt": leftover.attempt}
        logger.error(with_traceback("discard_failed", error, **fields))
        leftover.postpone()
        return False
    leftover.forget()
    return True


def _log(event: str, task: Task, **more: Any) -> None:
    fields = {
        "task": task.pk,
        "owner": task.owner,
        "request": task.request_id,
        "attempt": task.attempts,
        **more,
    }
    logger.info(line(event, **fields))
