"""How many tasks of one owner may run and wait at a time."""

from __future__ import annotations

from dataclasses import dataclass

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import TooManyWaiting
from django_image_tasks.models import Task
from django_image_tasks.states import Status

__all__ = ["OwnerLimits"]


@dataclass(frozen=True)
class OwnerLimits:
    """What one owner may have; ``None`` means any number."""

    running: int | None = None
    """So many of the owner's tasks may run at a time."""
    waiting: int | None = None
    """So many may be pending; another one is refused."""


def of_settings(owner: str) -> OwnerLimits:
    """The default of ``IMAGE_TASKS["OWNER_LIMITS"]``: the same limits for every owner."""
    return OwnerLimits(conf.MAX_RUNNING_PER_OWNER, conf.MAX_WAITING_PER_OWNER)


def may_run_more(owner: str) -> bool:
    """Whether another task of this owner may be started now."""
    return not _reached(owner, Status.PROCESSING, conf.OWNER_LIMITS(owner).running)


def check_waiting(owner: str) -> None:
    """Raise TooManyWaiting if this owner may have no further pending task.

    Requests at the same moment may each pass, so the limit can be exceeded by their number.
    """
    limit = conf.OWNER_LIMITS(owner).waiting
    if waiting := _reached(owner, Status.PENDING, limit):
        raise TooManyWaiting(f"{owner} has {waiting} tasks waiting; the limit is {limit}.")


def room(owner: str) -> int | None:
    """How many further pending tasks this owner may have; None means any number."""
    limit = conf.OWNER_LIMITS(owner).waiting
    if limit is None:
        return None
    waiting = Task.objects.for_deciding().filter(owner=owner, status=Status.PENDING).count()
    return int(max(0, limit - waiting))


def _reached(owner: str, status: Status, limit: int | None) -> int:
    """The number of the owner's tasks in this status if it has reached the limit, or else 0."""
    if limit is None:
        return 0
    tasks = Task.objects.for_deciding().filter(owner=owner, status=status)
    number = tasks.count()
    return number if number >= limit else 0
