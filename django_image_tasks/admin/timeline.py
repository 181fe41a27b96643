"""What happened to a task, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from django_image_tasks.admin.times import duration, relative_time
from django_image_tasks.models import Attempt, Task
from django_image_tasks.states import FINISHED, Status

MOMENT = timedelta(seconds=1)


class Event(NamedTuple):
    time: datetime
    kind: str
    """For the style: a status, ``cancel``, ``future`` or nothing."""
    title: Any
    detail: str = ""
    message: str = ""


class Entry(NamedTuple):
    """An event as the page shows it."""

    event: Event
    when: str
    wait: str
    """How long after the one before, where it is worth a word."""


def timeline(task: Task, attempts: Iterable[Attempt], now: datetime) -> list[Entry]:
    """The events of a task, the earliest first."""
    entries: list[Entry] = []
    before: Event | None = None
    for event in sorted(_events(task, attempts, now), key=lambda event: event.time):
        gap = event.time - before.time if before else timedelta()
        is_wait = gap >= MOMENT and event.kind != "future"
        wait = _("%(duration)s later") % {"duration": duration(gap)} if is_wait else ""
        entries.append(Entry(event, relative_time(event.time, now), wait))
        before = event
    return entries


def _events(task: Task, attempts: Iterable[Attempt], now: datetime) -> Iterator[Event]:
    yield Event(task.created_at, "", _("Created"), _created_by(task))
    if task.enqueued_at:
        yield Event(task.enqueued_at, "", _("Put on the queue"))
    for attempt in attempts:
        event = _attempt(attempt, now)
        # The page shows the task's own message in full.
        yield event._replace(message="") if event.message == task.message else event
    if task.cancel_requested_at:
        by = _("by %(name)s") % {"name": task.cancel_requested_by}
        yield Event(task.cancel_requested_at, "cancel", _("Cancellation requested"), by)
    if task.status == Status.PENDING and task.available_at and task.available_at > now:
        yield Event(task.available_at, "future", _("Next attempt"))
    if task.status in FINISHED and task.finished_at:
        total = _("%(duration)s in all") % {
            "duration": duration(task.finished_at - task.created_at)
        }
        yield Event(task.finished_at, task.status, task.get_status_display().capitalize(), total)
    if task.expires_at:
        is_over = task.expires_at <= now
        yield Event(task.expires_at, "future", _("Expired") if is_over else _("Expires"))


def _created_by(task: Task) -> str:
    return _("by user %(id)s") % {"id": task.user_id} if task.user_id else ""


def _attempt(attempt: Attempt, now: datetime) -> Event:
    title = _("Attempt %(number)d") % {"number": attempt.number}
    length = duration((attempt.ended_at or now) - attempt.started_at)
    if attempt.ended_at is None:
        outcome = _("running for %(duration)s") % {"duration": length}
    else:
        outcome = _("%(outcome)s after %(duration)s") % {
            "outcome": attempt.get_outcome_display(),
            "duration": length,
        }
    kind = attempt.outcome or Status.PROCESSING
    worker = _("on %(worker)s") % {"worker": attempt.worker}
    return Event(attempt.started_at, kind, title, f"{outcome}, {worker}", attempt.message)
