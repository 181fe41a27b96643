"""The sweep, which finds tasks that were lost on the way. It may run often, and twice at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from django.db import connections
from django.utils import timezone

from django_image_tasks import engines, executor, scratch
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.log_lines import line, with_traceback
from django_image_tasks.models import Leftover, Task
from django_image_tasks.states import Status

__all__ = ["purge", "sweep"]

logger = logging.getLogger(__name__)

BATCH = 1000
"""The most tasks that a sweep recovers or enqueues, and that a purge deletes at once."""


@dataclass
class Swept:
    """Counts of what one sweep did."""

    recovered: int = 0
    enqueued: int = 0
    purged: int = 0
    discarded: int = 0
    scratch_removed: int = 0


def sweep() -> Swept:
    """Recover tasks from dead workers, enqueue overdue ones, remove leftovers and expired tasks."""
    swept = Swept(recovered=_recover(timezone.now()))
    swept.enqueued = _enqueue(timezone.now())
    swept.discarded = _discard(timezone.now())
    swept.scratch_removed = scratch.remove_abandoned()
    swept.purged = purge(limit=10 * BATCH)
    logger.info(line("swept", **vars(swept)))
    return swept


def purge(*, limit: int | None = None, dry_run: bool = False) -> int:
    """Delete expired tasks, in batches up to ``limit``; returns how many. A dry run only counts."""
    expired = Task.objects.expired(timezone.now())
    if dry_run:
        return expired.count()
    purged = 0
    while limit is None or purged < limit:
        batch = list(expired.order_by("expires_at").values_list("pk", flat=True)[:BATCH])
        if not batch:
            break
        _, deleted = expired.filter(pk__in=batch).delete()
        purged += deleted.get(Task._meta.label, 0)
    return purged


def _recover(now: datetime) -> int:
    recovered = 0
    for task in Task.objects.stale(now).filter(status=Status.PROCESSING)[:BATCH]:
        try:
            executor.end_lost_attempt(task)
        except InvalidTransition:  # its worker is alive after all, or another sweep was first
            continue
        recovered += 1
    return recovered


def _enqueue(now: datetime) -> int:
    """Enqueue what is overdue. Stops at the first failure: a broker that is away fails for all."""
    enqueued = 0
    waiting = Task.objects.stale(now).filter(status=Status.PENDING)
    for task in waiting.order_by("lease_expires_at").only("attempts")[:BATCH]:
        if not engines.publish(task):
            break
        enqueued += 1
    return enqueued


def _discard(now: datetime) -> int:
    """Remove leftovers. Stops at the first failure, which is then due later than all the others."""
    discarded = 0
    due = Leftover.objects.filter(due_at__lte=now).order_by("due_at")
    for leftover in due[: BATCH // 10]:
        if leftover.has_result():
            leftover.forget()
        elif executor.discard(leftover):
            discarded += 1
        else:
            break
    return discarded


def sweep_every(seconds: float, stop: Event | None = None) -> None:
    """Sweep every so many seconds until ``stop`` is set. A sweep that fails is logged."""
    stop = stop or Event()
    while True:
        try:
            sweep()
        except Exception as error:
            logger.error(with_traceback("sweep_failed", error))
        connections.close_all()
        if stop.wait(seconds):
            return
