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
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections, router, transaction

from django_image_tasks import heartbeat, limits, open_transactions, stop_signals, tickets
from django_image_tasks.conf import conf
from django_image_tasks.context import TaskContext
from django_image_tasks.database_faults import is_temporary, outlasts_locks
from django_image_tasks.exceptions import (
    AttemptFailed,
    DeadlineExceeded,
    HandedOver,
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
from django_image_tasks.signals import task_finished
from django_image_tasks.states import Status

logger = logging.getLogger(__name__)

MAX_RESULT_SIZE = 2**20
"""Bytes of JSON. Every database, as it is installed, accepts a statement of this size."""
OUTAGE = 600
"""Seconds that the record of an end waits for a database that is away."""
CLAIMS = 100
"""The most tasks that one claim tries to start, or gives a turn, before it leaves the rest."""


def run_next(
    should_stop: Callable[[], bool] | None = None,
    *,
    goes_on: bool = False,
    has_heartbeat: bool = True,
) -> bool:
    """Run the task whose turn it is, if one is due, with a heartbeat beside its handler.

    With ``goes_on`` a ticket for the next one is on the queue before this one runs. Returns whether
    a task was run. Raises an error of Django's if the database is away when it begins; whatever
    else goes wrong is recorded with the task. SystemExit and KeyboardInterrupt are raised again.
    """
    if connections[router.db_for_write(Task)].in_atomic_block:  # another thread sees no task
        has_heartbeat = False
    task = claim_next(conf.LEASE if has_heartbeat else _whole_lease())
    if task is None:
        return False
    if goes_on and next_due():
        tickets.publish(tickets.NEXT)
    context = TaskContext(task, has_heartbeat=has_heartbeat)
    if has_heartbeat:
        watching = heartbeat.of_this_process().watching(context, should_stop)
        with watching as watched, stop_signals.heard(watched.tell):
            _run(context, watched)
    else:
        _run(context)
    if conf.OWNER_LIMITS(task.owner).running is not None and (waiting := next_due()):
        tickets.publish(waiting.pk)  # its own may have been used up while its owner was at a limit
    return True


def run(task_id: UUID) -> None:
    """Run the next attempt at this task here and now, if it is due and nobody else runs it."""
    if task := claim(task_id):
        _run(TaskContext(task, has_heartbeat=False))


def claim_next(lease: timedelta) -> Task | None:
    """Start an attempt at the task whose turn it is. Returns ``None`` if nothing is due."""
    at_limit: set[str] = set()
    for _ in range(CLAIMS):
        task = next_due(at_limit)
        if task is None:
            return None
        if not limits.may_run_more(task.owner):
            at_limit.add(task.owner)
        elif _start(task, lease):
            return task
    return None


def next_due(without_owners: Collection[str] = ()) -> Task | None:
    """The task whose turn it is, of a type that this worker can import."""
    tasks = Task.objects.for_deciding()
    if without_owners:
        tasks = tasks.exclude(owner__in=without_owners)
    waiting = tasks.next_waiting(registry.importable_types())
    task = next(iter(waiting), None)
    return next(iter(waiting.all()), None) if task is None and give_turns() else task


def give_turns() -> int:
    """Let tasks that have become due wait for their turn. Returns how many."""
    given = 0
    for task in Task.objects.for_deciding().without_turn()[:CLAIMS]:
        with suppress(InvalidTransition):  # another worker was faster
            task.wait_for_turn()
            given += 1
    return given


def claim(task_id: UUID) -> Task | None:
    """Start an attempt at this task. Returns ``None`` if the task is gone or not due."""
    tasks = Task.objects.for_deciding().filter(pk=task_id)
    lost = tasks.filter(status=Status.PROCESSING).first()
    if lost:
        with suppress(InvalidTransition):
            end_lost_attempt(lost)
    task = tasks.due().first()
    if task and _start(task, _whole_lease()):
        return task
    logger.info(line("task_skipped", task=task_id, reason="not_due"))
    return None


def _whole_lease() -> timedelta:
    """A lease that nobody need renew, and that the record of an attempt's deadline is within."""
    return conf.TASK_TIMEOUT + conf.LEASE


def _start(task: Task, lease: timedelta) -> bool:
    worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
    try:
        task.start(worker, lease)
    except InvalidTransition:  # another worker was faster
        return False
    _log("task_started", task, worker=worker)
    return True


def end_lost_attempt(task: Task, *, skip_locked: bool = False) -> bool:
    """End the attempt of a worker whose lease ran out, and remove what it left.

    With ``skip_locked`` a row that somebody else has locked is left for another time. Returns
    whether the attempt was ended. Raises InvalidTransition if the lease has not run out, or if
    somebody else was faster.
    """
    if not _end_lost_attempt(task, skip_locked):
        return False
    _log("task_recovered", task, status=task.status)
    discard(task.leftover())
    return True


@outlasts_locks
def _end_lost_attempt(task: Task, skip_locked: bool) -> bool:
    with transaction.atomic(using=router.db_for_write(Task)):
        if skip_locked and not task.lock_unless_locked():
            return False
        task.end_lost_attempt()
        return True


def _run(context: TaskContext, watched: heartbeat.Watched | None = None) -> None:
    """Run the handler and record how it ended."""
    task, started, raised = context.task, time.monotonic(), None
    try:
        record = _run_handler(context)
    except (SystemExit, KeyboardInterrupt) as error:
        raised = error
        told = isinstance(error, KeyboardInterrupt) or (watched and watched.told_at)
        record = partial(_hand_over if told else _fail_for_exit, task)
    try:
        # Not recorded in an ``except`` clause, where an error of the database would get the
        # handler's error as its context, and with it texts that no log may show.
        _insist(record, context)
    except InvalidTransition:
        _abandon(task)
    _log("task_ended", task, status=task.status, duration=f"{time.monotonic() - started:.3f}")
    if raised:
        raise raised


def _run_handler(context: TaskContext) -> Callable[[], None]:
    """Run the handler. Returns a function that records how it ended."""
    task = context.task
    try:
        handler = registry.get_handler(task.type)
        return partial(_succeed, task, handler, _result(handler, context))
    except Exception as error:
        # Whatever a handler raises once it was stopped comes of that, as from a closed socket.
        return _record_of(context.reason or error, task)


def _record_of(error: Exception, task: Task) -> Callable[[], None]:
    """The function that records that an attempt ended by this error."""
    match error:
        case TaskCancelled() | LeaseLost():
            return _give_up
        case HandedOver():
            return partial(_hand_over, task)
        case AttemptFailed():
            return partial(_end_failed_attempt, task, str(error), error.after)
        case TaskFailed() | UnknownTaskType() | DeadlineExceeded():
            return partial(_fail, task, str(error))
    logger.error(with_traceback("handler_error", error, task=task.pk, request=task.request_id))
    if is_temporary(error):
        return partial(_end_failed_attempt, task, f"A database failed: {type(error).__name__}")
    log = f"the log of {task.lease_owner} has more"
    return partial(_fail, task, f"Unexpected {type(error).__name__}; {log}")


def _result(handler: Handler, context: TaskContext) -> Mapping[str, Any]:
    """Run the handler. Raises TaskFailed if it leaves a transaction open, or no fit result."""
    transactions = open_transactions.depths()
    try:
        with scratch(f"{context.task_id}-{context.attempt}") as context.scratch:
            result = handler.run(context)
    finally:
        left = open_transactions.end_those_since(transactions)
    if left:
        raise TaskFailed(
            f"The handler left a transaction open on the database '{left[0]}'. It was rolled back."
        )
    if not isinstance(result, Mapping):
        raise TaskFailed(
            f"The handler's result cannot be kept: it is {type(result).__name__}, no JSON object"
        )
    try:
        check_json(result)
    except InvalidInput as error:
        raise TaskFailed(f"The handler's result cannot be kept: {error}") from None
    if (size := json_size(result)) > MAX_RESULT_SIZE:
        raise TaskFailed(
            f"The handler's result cannot be kept: it takes {size} bytes, more than 1 MiB"
        )
    return result


def _insist(record: Callable[[], None], context: TaskContext) -> None:
    """Record how the attempt ended, even if the database is away for minutes.

    Raises InvalidTransition if the attempt is cancelled or another worker's by now.
    """
    until = time.monotonic() + OUTAGE
    while True:
        try:
            return record()
        except InvalidTransition:
            is_ours = context.task.row_if_held(cancel_requested_at=None).exists()
            if context.stopped.is_set() or not (context.has_heartbeat and is_ours):
                raise
            # The lease ran out while the database was away, and nobody has taken the task.
            heartbeat.of_this_process().wait_for_look()
        except (DatabaseError, InterfaceError) as error:
            waits = context.has_heartbeat and time.monotonic() < until
            if not waits or not is_temporary(error):
                raise
            logger.warning(with_traceback("end_not_written", error, task=context.task_id))
            connections[router.db_for_write(Task)].close_if_unusable_or_obsolete()
            time.sleep(1)


def _succeed(task: Task, handler: Handler, result: Mapping[str, Any]) -> None:
    if handler.succeeded and handler.succeeded.has_listeners(Task):
        task_finished.connect(send_success)
    task.succeed(result)


def _end_failed_attempt(task: Task, message: str, after: timedelta | None = None) -> None:
    if task.may_be_tried_again:
        delay = max(conf.NEXT_ATTEMPT_DELAY * 2**task.failed_attempts, after or timedelta())
        task.schedule_next_attempt(message, delay)
        discard(task.leftover())
        tickets.publish(task.pk, delay)
    else:
        _fail(task, f"{message} (in the last of {task.attempts} attempts)")


def _fail(task: Task, message: str) -> None:
    task.fail(message)
    discard(task.leftover())


def _fail_for_exit(task: Task) -> None:
    _fail(task, f"The handler ended its process; the log of {task.lease_owner} has more")


def _hand_over(task: Task) -> None:
    task.hand_over()
    discard(task.leftover())
    tickets.publish(task.pk)


def _give_up() -> None:
    raise InvalidTransition


def _abandon(task: Task) -> None:
    """Tidy up an attempt that may not record its outcome: it has been ended, or is cancelled."""
    held = task.row_if_held().first()
    try:
        if held is None:
            raise InvalidTransition
        held.carry_out_cancel()
    except InvalidTransition:
        _log("lease_lost", task)
    task.note_that_handler_returned()
    if not Task.objects.for_deciding().has_result_of(task.pk, task.attempts):
        discard(task.leftover())  # or else only the answer to its record was lost


def send_success(sender: object, task: Task, **kwargs: object) -> None:
    """Send the signal of a successful task's handler; a receiver of ``task_finished``.

    Raises what a receiver raised, so that both signals are sent again. It is connected where that
    signal has receivers: where nobody hears of an end, nothing is written about that.
    """
    if task.status == Status.SUCCESS and (signal := registry.get_handler(task.type).succeeded):
        for _receiver, answer in signal.send_robust(Task, task=task, result=task.result):
            if isinstance(answer, Exception):
                raise answer


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
