"""What an attempt keeps for the next: a state, with the task, and its scratch directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from uuid import UUID

from django_image_tasks import scratch
from django_image_tasks.handlers.base import Kept
from django_image_tasks.models import Task
from django_image_tasks.states import UNFINISHED


def directory_name(task_id: UUID, attempt: int) -> str:
    """The name of an attempt's scratch directory, without what makes it unique."""
    return f"{task_id}-{attempt}"


@contextmanager
def kept_for(task: Task, stopped: Event) -> Iterator[Kept | None]:
    """What an attempt that has just begun finds of those before it, for as long as the block."""
    if task.checkpoint_attempt is None:
        yield None
        return
    name = directory_name(task.pk, task.checkpoint_attempt)
    with scratch.taken_over(name, stopped) as path:
        yield Kept(task.checkpoint, path)


def remove_abandoned() -> int:
    """Remove the directories of dead processes on this machine, and return their number.

    That of a task's last checkpoint stays until the task ends.
    """
    return scratch.remove_abandoned(_wanted)


def _wanted(names: set[str]) -> set[str]:
    """Those of the directories that were kept which an attempt may still ask for."""
    task_ids = {name[: len(str(UUID(int=0)))] for name in names}
    tasks = Task.objects.for_deciding().filter(pk__in=task_ids, status__in=UNFINISHED)
    last = tasks.exclude(checkpoint_attempt=None).values_list("pk", "checkpoint_attempt")
    wanted = {directory_name(task_id, attempt or 0) for task_id, attempt in last}
    return {name for name in names if name.rpartition("-")[0] in wanted}
