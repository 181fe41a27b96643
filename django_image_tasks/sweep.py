"""The sweep, which finds tasks that were lost on the way. It may run often, and twice at once."""

from __future__ import annotations

import logging
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Exists, F, Subquery
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from django_image_tasks import checkpoints, claims, executor, leftovers, tickets
from django_image_tasks.clock import DatabaseNow
from django_image_tasks.database_faults import outlasts_locks
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.identifiers import process_name
from django_image_tasks.log_lines import line, with_traceback
from django_image_tasks.models import LastSweep, Leftover, Task
from django_image_tasks.signals import task_finished
from django_image_tasks.unmigrated import names_missing_migrations

__all__ = ["purge", "sweep"]

logger = logging.getLogger(__name__)

BATCH = 1000
"""The most tasks that a sweep recovers or announces, and that a purge deletes at once."""
PURGE_TIME = 5.0
"""Seconds after which a sweep leaves the rest of the expired tasks to the next one."""
SECOND_LOOK = 2.0
"""Seconds that a worker whose lease ran out has to renew it, if only the database was away."""
TICKET_PAUSE = timedelta(seconds=30)
"""So long a ticket has time to reach a worker before the sweep puts another on the queue."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Swept:
    """Counts of what one sweep did."""

    recovered: int = 0
    due: int = 0
    tickets: int = 0
    announced: int = 0
    purged: int = 0
    discarded: int = 0
    scratch_removed: int = 0


@names_missing_migrations()
def sweep(*, unless_within: timedelta | None = None) -> Swept:
    """Recover tasks from dead workers, give turns to due ones, announce ends, remove what is over.

    With ``unless_within`` nothing is done if another sweep of the database began so short a time
    ago. That costs one query, and so does a sweep that finds nothing to do, besides the note that
    it ran.
    """
    swept = Swept(scratch_removed=checkpoints.remove_abandoned())
    seen = _look(unless_within)
    if seen is None:
        return swept
    if seen.any_lost:
        swept.recovered = _recover()
    if seen.any_due:
        swept.due = claims.give_turns()
    if seen.any_unannounced:
        swept.announced = _announce()
    is_wanted = swept.recovered or swept.due or unless_within is None or _is_stuck(seen)
    if is_wanted and (seen.waiting_id or swept.recovered or swept.due):
        swept.tickets = _publish_ticket()
    if seen.any_leftover:
        swept.discarded = _discard()
    if seen.any_expired:
        swept.purged = purge(seconds=PURGE_TIME)
    logger.info(line("swept", **vars(swept)))
    return swept


def purge(*, seconds: float | None = None, dry_run: bool = False) -> int:
    """Delete expired tasks in batches, all or for so many seconds; returns how many.

    A dry run only counts.
    """
    expired = Task.objects.for_deciding().purgeable(timezone.now())
    if dry_run:
        return expired.count()
    purged, until = 0, time.monotonic() + (seconds or math.inf)
    while time.monotonic() < until:
        batch = list(expired.order_by("expires_at").values_list("pk", flat=True)[:BATCH])
        if not batch:
            break
        purged += _delete(batch)
    return purged


@outlasts_locks
def _delete(batch: list[UUID]) -> int:
    """Delete finished tasks, which nothing changes any more, by their primary keys alone."""
    _, deleted = Task.objects.for_deciding().filter(pk__in=batch).delete()
    return deleted.get(Task._meta.label, 0)


@outlasts_locks
def _begin_notes() -> None:
    """Make the row of the last sweep, which another sweep may do at the same moment."""
    LastSweep.objects.get_or_create(pk=1, defaults={"ran_at": EPOCH, "ticket_at": EPOCH})


def _look(unless_within: timedelta | None) -> Any:
    """See in one query what there is to do, and note that this sweep runs.

    Returns ``None`` if another one has begun since, or within ``unless_within``.
    """
    tasks, now = Task.objects.for_deciding(), DatabaseNow()
    recent = now - (unless_within or timedelta())
    rows = LastSweep.objects.using(tasks.db).filter(pk=1)
    seen = rows.annotate(
        is_recent=GreaterThan(F("ran_at"), recent),
        is_ticket_recent=GreaterThan(F("ticket_at"), now - TICKET_PAUSE),
        waiting_id=Subquery(tasks.waiting().values("pk")[:1]),
        any_lost=Exists(tasks.lost()),
        any_due=Exists(tasks.without_turn()),
        any_unannounced=Exists(tasks.unannounced()),
        any_leftover=Exists(Leftover.objects.filter(due_at__lte=timezone.now())),
        any_expired=Exists(tasks.purgeable(timezone.now())),
    ).first()
    if seen is None:
        _begin_notes()
        return _look(unless_within)
    if unless_within is not None and seen.is_recent:
        return None
    noted = rows.filter(ran_at=seen.ran_at).update(
        ran_at=now, sweeper=process_name(), next_id=seen.waiting_id
    )
    return seen if noted or unless_within is None else None


def _is_stuck(seen: Any) -> bool:
    """Whether nothing was started since the last sweep, and no ticket is on its way."""
    return seen.waiting_id == seen.next_id and not seen.is_ticket_recent


def _recover() -> int:
    lost = list(Task.objects.for_deciding().lost().order_by("lease_expires_at")[:BATCH])
    if lost:
        time.sleep(SECOND_LOOK)
    recovered = 0
    for task in lost:
        with suppress(InvalidTransition):  # its worker is alive after all, or another sweep faster
            if claims.end_lost_attempt(task, skip_locked=True):
                recovered += 1
    return recovered


def _publish_ticket() -> int:
    """Put one ticket on the queue, which makes the worker that gets it put the next one there."""
    if not tickets.publish(tickets.NEXT):
        return 0
    LastSweep.objects.filter(pk=1).update(ticket_at=DatabaseNow())
    return 1


def _announce() -> int:
    announced = 0
    task_finished.connect(executor.send_success)
    for task in Task.objects.for_deciding().unannounced().order_by("announce_at")[: BATCH // 10]:
        with suppress(InvalidTransition):  # another sweep was faster
            task.claim_announcement()
            task.announce_end()
            announced += 1
    return announced


def _discard() -> int:
    """Remove leftovers. Stops at the first failure, which is then due later than all the others."""
    discarded = 0
    due = Leftover.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    for leftover in due[: BATCH // 10]:
        if Task.objects.for_deciding().has_result_of(leftover.task_id, leftover.attempt):
            leftover.forget()
        elif leftovers.discard(leftover):
            discarded += 1
        else:
            break
    return discarded


def sweep_every(seconds: float, stop: Event | None = None) -> None:
    """Sweep every so many seconds until ``stop`` is set. A sweep that fails is logged."""
    stop = stop or Event()
    while True:
        try:
            sweep(unless_within=timedelta(seconds=seconds / 2))
        except Exception as error:
            logger.error(with_traceback("sweep_failed", error))
        connections.close_all()
        if stop.wait(seconds):
            return
