"""Runs one attempt at a task: has it claimed, runs its handler, records how that ended.

Every write names the worker and the attempt that it is for. So of two workers that both believe
they hold a task only one can write, and delivering a task twice does no harm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections, router

from django_image_tasks import (
    checkpoints,
    claims,
    heartbeat,
    leftovers,
    open_transactions,
    scratch,
    stop_signals,
    tickets,
    tracing,
)
from django_image_tasks.conf import conf
from django_image_tasks.context import TaskContext
from django_image_tasks.database_faults import is_temporary
from django_image_tasks.exceptions import (
    AttemptFailed,
    DeadlineExceeded,
    HandedOver,
    InvalidInput,
    InvalidTransition,
    LeaseLost,
    ScratchFailed,
    TaskCancelled,
    TaskFailed,
    UnknownTaskType,
)
from django_image_tasks.handlers import registry
from django_image_tasks.handlers.base import Handler
from django_image_tasks.json_values import check_json, json_size
from django_image_tasks.log_lines import line, with_traceback
from django_image_tasks.models import Task
from django_image_tasks.signals import task_finished
from django_image_tasks.states import Status

logger = logging.getLogger(__name__)

MAX_RESULT_SIZE = 2**20
"""Bytes of JSON. Every database, as it is installed, accepts a statement of this size."""
OUTAGE = 600
"""Seconds that the record of an end waits for a database that is away."""


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
    task = claims.claim_next(conf.LEASE if has_heartbeat else claims.whole_lease())
    if task is None:
        return False
    if goes_on and claims.next_due():
        tickets.publish(tickets.NEXT)
    context = TaskContext(task, has_heartbeat=has_heartbeat)
    if has_heartbeat:
        watching = heartbeat.of_this_process().watching(context, should_stop)
        with watching as watched, stop_signals.heard(watched.tell):
            _run(context, watched)
    else:
        _run(context)
    if conf.OWNER_LIMITS(task.owner).running is not None and (waiting := claims.next_due()):
        tickets.publish(waiting.pk)  # its own may have been used up while its owner was at a limit
    return True


def run(task_id: UUID) -> None:
    """Run the next attempt at this task here and now, if it is due and nobody else runs it."""
    if task := claims.claim(task_id):
        _run(TaskContext(task, has_heartbeat=False))


def _run(context: TaskContext, watched: heartbeat.Watched | None = None) -> None:
    with tracing.processing(context.task):
        _run_attempt(context, watched)


def _run_attempt(context: TaskContext, watched: heartbeat.Watched | None) -> None:
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
    if task.checkpoint_attempt is not None:
        with suppress(DatabaseError, InterfaceError):  # the sweep does it, too
            checkpoints.remove_abandoned()
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
        result = _run_in_scratch(handler, context)
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


def _run_in_scratch(handler: Handler, context: TaskContext) -> Any:
    name = checkpoints.directory_name(context.task_id, context.attempt)
    kept = checkpoints.kept_for(context.task, context.stopped)
    try:
        with scratch.scratch(name) as context.scratch, kept as context.kept:
            return handler.run(context)
    except ScratchFailed:
        scratch.remove_abandoned()  # what is kept may be what the disk is full of
        raise


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
        leftovers.discard(task.leftover())
        tickets.publish(task.pk, delay)
    else:
        _fail(task, f"{message} (in the last of {task.attempts} attempts)")


def _fail(task: Task, message: str) -> None:
    task.fail(message)
    leftovers.discard(task.leftover())


def _fail_for_exit(task: Task) -> None:
    _fail(task, f"The handler ended its process; the log of {task.lease_owner} has more")


def _hand_over(task: Task) -> None:
    task.hand_over()
    leftovers.discard(task.leftover())
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
        leftovers.discard(task.leftover())  # or else only the answer to its record was lost


def send_success(sender: object, task: Task, **kwargs: object) -> None:
    """Send the signal of a successful task's handler; a receiver of ``task_finished``.

    Raises what a receiver raised, so that both signals are sent again. It is connected where that
    signal has receivers: where nobody hears of an end, nothing is written about that.
    """
    if task.status == Status.SUCCESS and (signal := registry.get_handler(task.type).succeeded):
        for _receiver, answer in signal.send_robust(Task, task=task, result=task.result):
            if isinstance(answer, Exception):
                raise answer


def _log(event: str, task: Task, **more: Any) -> None:
    logger.info(line(event, **task.for_log(), **more))
