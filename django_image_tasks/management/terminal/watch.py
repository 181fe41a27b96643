"""Following tasks until they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import inf
from time import monotonic, sleep
from uuid import UUID

from django.core.management import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.management.terminal.exits import Exit
from django_image_tasks.management.terminal.plain import Plain
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED, UNFINISHED, Status

MOST = 50
"""Tasks that are watched where none is named."""


def find(ids: Sequence[str]) -> list[UUID]:
    """The tasks with these ids. Raises CommandError for the first that is none."""
    parsed = {text: parse_uuid(text) for text in ids}
    known = Task.objects.unexpired(timezone.now()).filter(pk__in=filter(None, parsed.values()))
    found = set(known.values_list("pk", flat=True))
    for text, pk in parsed.items():
        if pk not in found:
            raise CommandError(f"Could not find task {text}", returncode=Exit.NOT_FOUND)
    return list(dict.fromkeys(filter(None, parsed.values())))


def newest_unfinished() -> list[UUID]:
    # One query for each state: a single one would have no index to read in order.
    newest = [
        task
        for status in UNFINISHED
        for task in Task.objects.filter(status=status)
        .order_by("-created_at", "-id")
        .values_list("created_at", "pk")[:MOST]
    ]
    return [pk for created, pk in islice(sorted(newest, reverse=True), MOST)]


def follow(ids: Sequence[UUID], face: Plain, *, interval: float, timeout: float | None) -> None:
    """Show the tasks until they have ended; one query for each look at them.

    Raises CommandError unless all of them succeed in time.
    """
    deadline = inf if timeout is None else monotonic() + timeout
    tasks: dict[UUID, Task] = {}
    running = list(ids)
    try:
        with face.watching() as show:
            while True:
                found = Task.objects.defer(*face.unread).in_bulk(running)
                tasks |= {pk: found[pk] for pk in running if pk in found}
                show(tasks.values())
                running = [pk for pk in running if pk in found and not _ended(found[pk])]
                if not running or monotonic() >= deadline:
                    break
                sleep(max(0, min(interval, deadline - monotonic())))
    except KeyboardInterrupt:
        message = _("No longer watching. The tasks go on.")
        raise CommandError(message, returncode=Exit.INTERRUPTED) from None
    _judge(ids, tasks)


def _judge(ids: Sequence[UUID], tasks: Mapping[UUID, Task]) -> None:
    count = len(ids)
    if failed := _count(task.status == Status.FAILURE for task in tasks.values()):
        message = ngettext(
            "%(number)s of %(count)s task failed.", "%(number)s of %(count)s tasks failed.", count
        )
        code, number = Exit.TASK_FAILED, failed
    elif unended := _count(not _ended(task) for task in tasks.values()):
        message = ngettext(
            "%(number)s of %(count)s task has not ended in time.",
            "%(number)s of %(count)s tasks have not ended in time.",
            count,
        )
        code, number = Exit.TIMEOUT, unended
    else:
        return
    raise CommandError(message % {"number": number, "count": count}, returncode=code)


def _count(conditions: Iterable[bool]) -> int:
    return sum(conditions)


def _ended(task: Task) -> bool:
    return task.status in FINISHED
