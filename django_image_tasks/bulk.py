"""Many tasks at once: what the API, the admin and the terminal do to all that a filter finds.

Each step changes some of the tasks, in a transaction of its own where the caller has none. Whoever
iterates hears of a step once it is done, and may stop after any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import count
from typing import NamedTuple
from uuid import UUID

from django.db import router, transaction
from django.utils import timezone

from django_image_tasks import limits, services, tickets, tracing
from django_image_tasks.conf import conf
from django_image_tasks.database_faults import outlasts_locks
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.json_values import kept_message
from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import Status

CANCELLED_IN_A_STEP = 500
RETRIED_IN_A_STEP = 50
"""With 256 KiB of input each they stay below MariaDB's 16 MiB for a statement."""
LINKS = 20
"""How far a chain of retries is followed; whoever retries the same more often is not held up."""


class Cancelled(NamedTuple):
    ended: list[Task]
    asked: list[Task]
    """Those whose workers are to stop, and will."""


def cancel_tasks(ids: Sequence[UUID], by: str) -> Iterator[Cancelled]:
    """Cancel tasks in the name of ``by``; those that have finished are left out.

    ``input`` and ``result`` of what is returned are read when they are used.
    """
    for step in _steps(ids, CANCELLED_IN_A_STEP):
        yield _cancel(step, kept_message(by)[:255])


@outlasts_locks
def _cancel(ids: Sequence[UUID], by: str) -> Cancelled:
    now = timezone.now()
    values = Task.values_of_end(now)
    with transaction.atomic(using=router.db_for_write(Task)):
        rows = _locked(ids)
        rows.filter(status__unindexed=Status.PENDING).update(
            **values, status=Status.FAILURE, message=f"Cancelled by {by}"
        )
        running = rows.filter(status__unindexed=Status.PROCESSING)
        running.filter(cancel_requested_at=None).update(
            cancel_requested_at=now, cancel_requested_by=by, updated_at=now
        )
        tasks = list(rows.defer("input", "result"))
        ended = [task for task in tasks if task.finished_at == now]
        if "announce_at" in values:
            transaction.on_commit(lambda: Task.announce_ends(ended), using=rows.db, robust=True)
    return Cancelled(ended, [task for task in tasks if task.status == Status.PROCESSING])


class Retry(NamedTuple):
    """A failed task, and the new one that does the same."""

    failed: Task
    task: Task


def retry_tasks(
    ids: Sequence[UUID], *, user_id: str = "", request_id: str = "", again: bool = False
) -> Iterator[list[Retry]]:
    """Create a new task for each that has failed; what cannot be retried is left out.

    So are tasks of which a retry, or a retry of that one, waits, runs or has succeeded, or is among
    ``ids`` itself, unless ``again``: of a chain of retries the last is retried.
    """
    queue, asked = _Queue(), frozenset(() if again else ids)
    for step in _steps(ids, RETRIED_IN_A_STEP):
        yield _retry(step, user_id, request_id, asked, queue)


@outlasts_locks
def _retry(
    ids: Sequence[UUID], user_id: str, request_id: str, asked: Set[UUID], queue: _Queue
) -> list[Retry]:
    with transaction.atomic(using=router.db_for_write(Task)):
        rows = _locked(ids)
        done = _retried(ids, asked) if asked else set()
        places: dict[str, Iterator[int]] = {}
        retries = []
        for failed in sorted(rows, key=lambda task: task.created_at):
            if failed.pk in done or not services.can_retry(failed.status, failed.type):
                continue
            if failed.owner not in places:
                places[failed.owner] = _places(failed.owner)
            retry = services.new_retry(failed, user_id=user_id, request_id=request_id)
            if _is_refused(retry):
                continue
            if (turn := next(places[failed.owner], None)) is None:
                continue
            retry.turn, retry.lease_expires_at = turn, None
            tracing.note_creation(retry, failed)
            if conf.TASK_VALIDATOR:  # which may look at those before
                retry.save(force_insert=True)
            retries.append(Retry(failed, retry))
        if not conf.TASK_VALIDATOR:
            Task.objects.using(rows.db).bulk_create([retry.task for retry in retries])
        transaction.on_commit(
            lambda: queue.publish([retry.task.pk for retry in retries]),
            using=rows.db,
            robust=True,
        )
    return retries


class _Queue:
    """Is told of new tasks until it fails; those that it has not heard of are left to the sweep."""

    def __init__(self) -> None:
        self.works = True

    def publish(self, ids: Sequence[UUID]) -> None:
        for pk in ids:
            self.works = self.works and tickets.publish(pk)


def _retried(ids: Sequence[UUID], asked: Set[UUID]) -> set[UUID]:
    """Those for which a later link of their chain of retries has not failed, or is in ``asked``."""
    rows = Task.objects.for_deciding()
    first_of: dict[UUID | None, UUID] = {pk: pk for pk in ids}
    retried = set()
    for _ in range(LINKS):
        links = rows.filter(retry_of__in=[*first_of]).values_list("pk", "retry_of", "status")
        failed: dict[UUID | None, UUID] = {}
        for pk, retry_of, status in links:
            if status != Status.FAILURE or pk in asked:
                retried.add(first_of[retry_of])
            else:
                failed[pk] = first_of[retry_of]
        if not (first_of := failed):
            break
    return retried


def _is_refused(task: Task) -> bool:
    try:
        services.check_new(task)
    except InvalidInput:
        return True
    return False


def _places(owner: str) -> Iterator[int]:
    """The turns that this owner's next tasks may have, of which there may be a limited number."""
    first = Task.objects.for_deciding().next_turn(owner)
    room = limits.room(owner)
    return iter(count(first) if room is None else range(first, first + room))


def _locked(ids: Sequence[UUID]) -> TaskQuerySet:
    """These tasks, which nobody else changes until the transaction ends."""
    rows = Task.objects.for_deciding().filter(pk__in=ids)
    list(rows.select_for_update().order_by("pk").values_list("pk"))
    return rows


def _steps(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
