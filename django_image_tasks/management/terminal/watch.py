"""Following tasks until they have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from time import monotonic, sleep
from uuid import UUID

from django.core.management import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.management.terminal.exits import Exit
from django_image_tasks.management.terminal.output import TextOutput
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED, UNFINISHED, Status

MOST = 50
"""How many tasks are watched where none is named."""


def find(ids: Sequence[str]) -> list[UUID]:
    """The ids of tasks, in either spelling, as UUIDs; each one once.

    Raises CommandError for the first that names no task.
    """
    parsed = {text: parse_uuid(text) for text in ids}
    known = Task.objects.unexpired(timezone.now()).filter(pk__in=filter(None, parsed.values()))
    found = set(known.values_list("pk", flat=True))
    for text, pk in parsed.items():
        if pk not in found:
            raise CommandError(f"Could not find task {text}", returncode=Exit.NOT_FOUND)
    return list(dict.fromkeys(filter(None, parsed.values())))


def newest_unfinished() -> list[UUID]:
    # One query for each status: no index has the rows of two of them in the order of time.
    newest = [
        task
        for status in UNFINISHED
        for task in Task.objects.filter(status=status)
        .order_by("-created_at", "-id")
        .values_list("created_at", "pk")[:MOST]
    ]
    return [pk for created, pk in sorted(newest, reverse=True)[:MOST]]


def follow(
    ids: Sequence[UUID], output: TextOutput, *, interval: float, timeout: float | None
) -> None:
    """Print the tasks' changes until all of them have ended. Each look at them is one query.

    ``interval`` and ``timeout`` are seconds. Raises CommandError unless every task succeeds in
    time.
    """
    deadline = inf if timeout is None else monotonic() + timeout
    tasks: dict[UUID, Task] = {}
    unended = list(ids)
    try:
        while True:
            found = Task.objects.defer(*output.unread).in_bulk(unended)
            tasks |= {pk: found[pk] for pk in unended if pk in found}
            output.watched(tasks.values())
            unended = [pk for pk in unended if pk in found and found[pk].status not in FINISHED]
            if not unended or monotonic() >= deadline:
                break
            sleep(max(0, min(interval, deadline - monotonic())))
    except KeyboardInterrupt:
        message = _("No longer watching. The tasks go on.")
        raise CommandError(message, returncode=Exit.INTERRUPTED) from None
    _raise_for(tasks, len(ids))


def _raise_for(tasks: Mapping[UUID, Task], count: int) -> None:
    statuses = [task.status for task in tasks.values()]
    if number := statuses.count(Status.FAILURE):
        code = Exit.TASK_FAILED
        message = ngettext(
            "%(number)s of %(count)s task failed.", "%(number)s of %(count)s tasks failed.", count
        )
    elif number := sum(status not in FINISHED for status in statuses):
        code = Exit.TIMEOUT
        message = ngettext(
            "%(number)s of %(count)s task has not ended in time.",
            "%(number)s of %(count)s tasks have not ended in time.",
            count,
        )
    else:
        return
    raise CommandError(message % {"number": number, "count": count}, returncode=code)
