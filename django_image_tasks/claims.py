"""Which attempt a worker starts next, and how one that was lost is ended."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import router, transaction

from django_image_tasks import leftovers, limits
from django_image_tasks.conf import conf
from django_image_tasks.database_faults import outlasts_locks
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import process_name
from django_image_tasks.log_lines import line
from django_image_tasks.models import Task
from django_image_tasks.states import Status

logger = logging.getLogger(__name__)

CLAIMS = 100
"""The most tasks that one claim tries to start, or gives a turn, before it leaves the rest."""


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
    if task and _start(task, whole_lease()):
        return task
    logger.info(line("task_skipped", task=task_id, reason="not_due"))
    return None


def whole_lease() -> timedelta:
    """A lease that nobody need renew, and that the record of an attempt's deadline is within."""
    return conf.TASK_TIMEOUT + conf.LEASE


def _start(task: Task, lease: timedelta) -> bool:
    worker = f"{process_name()}:{secrets.token_hex(4)}"
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
    leftovers.discard(task.leftover())
    return True


@outlasts_locks
def _end_lost_attempt(task: Task, skip_locked: bool) -> bool:
    with transaction.atomic(using=router.db_for_write(Task)):
        if skip_locked and not task.lock_unless_locked():
            return False
        task.end_lost_attempt()
        return True


def _log(event: str, task: Task, **more: object) -> None:
    logger.info(line(event, **task.for_log(), **more))
