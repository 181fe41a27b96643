"""The page about one task: all that is known of it, and what happened to it when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from django_image_tasks import tenancy
from django_image_tasks.admin.columns import bar, is_moving, is_stuck, silent_for
from django_image_tasks.artifacts import url_in
from django_image_tasks.browsable.json_html import foldable
from django_image_tasks.clock import DatabaseNow
from django_image_tasks.handlers.image_import.storage import get_storage
from django_image_tasks.measures import duration, rate, transferred
from django_image_tasks.models import Attempt, Task
from django_image_tasks.services import can_retry
from django_image_tasks.states import FINISHED, Outcome, Status

if TYPE_CHECKING:
    from django_image_tasks.admin.task_admin import TaskAdmin

MOST_ATTEMPTS = 50
MOST_RETRIES = 20
SHORTEST_WAIT = timedelta(seconds=1)
"""A shorter time between two events is not worth a word."""


def live_context(admin: TaskAdmin, request: HttpRequest, task: Task) -> dict[str, Any]:
    """What may change while the task runs."""
    history = Attempt.objects.filter(task=task).annotate(database_now=DatabaseNow())
    attempts = list(history.order_by("-number")[:MOST_ATTEMPTS])
    now = attempts[0].database_now if attempts else timezone.now()
    is_open = is_moving(task) and task.cancel_requested_at is None
    is_failed = can_retry(task.status, task.type)
    return {
        "task": task,
        "is_running": is_moving(task),
        "bar": bar(task),
        "is_stuck": is_stuck(task, now),
        "silent": silent_for(task, now),
        "transferred": ", ".join(filter(None, [_beside_bar(task), rate(task)])),
        "timeline": timeline(task, attempts),
        "left_out": attempts[-1].number - 1 if attempts else 0,
        "result": None if task.result is None else foldable(task.result),
        "image_url": image_url(task),
        "can_cancel": is_open and admin.has_cancel_permission(request),
        "can_retry": is_failed and admin.has_retry_permission(request),
        "cancel_url": admin.address("cancel", task.pk),
        "retry_url": admin.address("retry", task.pk),
    }


def _beside_bar(task: Task) -> str:
    """How much is done, unless the bar says just that for want of a percentage."""
    is_said = task.status == Status.PROCESSING and not task.progress
    return "" if is_said else transferred(task)


def lasting_context(request: HttpRequest, task: Task) -> dict[str, Any]:
    """What stays as it is, and the tasks that are retries of this one or that it retries."""
    retries = Task.objects.hold("retry_of", task.pk, is_rare=True)
    retried_by = list(_newest(retries)[: MOST_RETRIES + 1])
    original = Task.objects.filter(pk=task.retry_of) if task.retry_of else Task.objects.none()
    return {
        "input": foldable(task.input),
        "api_url": api_url(request, task),
        "retry_of": _newest(original).first(),
        "retried_by": retried_by[:MOST_RETRIES],
        "has_more_retries": len(retried_by) > MOST_RETRIES,
    }


def _newest(tasks: QuerySet[Task]) -> QuerySet[Task]:
    return tasks.only("name", "type", "status", "created_at").order_by("-created_at")


def api_url(request: HttpRequest, task: Task) -> str:
    """The task in the API; empty where the host does not route it, or the API would not show it."""
    if task.expires_at and task.expires_at <= timezone.now():
        return ""
    every_owner = request.user.has_perm("django_image_tasks.view_all_tasks")
    if (owner := tenancy.get_owner(request)) is None or not (every_owner or owner == task.owner):
        return ""
    try:
        return reverse("image_tasks:task-detail", args=[task.pk])
    except NoReverseMatch:
        return ""


def image_url(task: Task) -> str:
    """The image that an import stored, if the storage serves its files."""
    result: Any = task.result if isinstance(task.result, dict) else {}
    location = str(result.get("location"))
    if not location.startswith(f"images/{result.get('image_id')}/{task.pk}-"):
        return ""
    return url_in(get_storage(), location)


class Event(NamedTuple):
    """Something that happened to a task, or is going to happen."""

    time: datetime
    kind: str
    """How it looks: a status, an attempt's outcome, ``cancel``, ``future`` or nothing."""
    title: Any
    detail: str = ""
    message: str = ""
    wait: str = ""
    """How long after the event before, where that is worth a word."""


def timeline(task: Task, attempts: Iterable[Attempt]) -> list[Event]:
    """The events of a task, the earliest first."""
    first, *others = events = sorted(_events(task, attempts), key=lambda event: event.time)
    waits = [_wait(before, after) for before, after in pairwise(events)]
    return [first, *(event._replace(wait=wait) for event, wait in zip(others, waits, strict=True))]


def _wait(before: Event, after: Event) -> str:
    gap = after.time - before.time
    if gap < SHORTEST_WAIT or after.kind == "future":
        return ""
    return _("%(duration)s later") % {"duration": duration(gap)}


def _events(task: Task, attempts: Iterable[Attempt]) -> Iterator[Event]:
    now = timezone.now()
    created_by = _("by user %(id)s") % {"id": task.user_id} if task.user_id else ""
    yield Event(task.created_at, "", pgettext("task", "Created"), created_by)
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
        length = duration(task.finished_at - task.created_at)
        total = _("%(duration)s in all") % {"duration": length}
        yield Event(task.finished_at, task.status, task.get_status_display().capitalize(), total)
    if task.expires_at:
        is_over = task.expires_at <= now
        yield Event(task.expires_at, "future", _("Expired") if is_over else _("Expires"))


def _attempt(attempt: Attempt, now: datetime) -> Event:
    title = _("Attempt %(number)d") % {"number": attempt.number}
    length = duration((attempt.ended_at or now) - attempt.started_at)
    if attempt.outcome and attempt.ended_at is None:
        outcome = _("%(outcome)s; its handler has not returned") % {
            "outcome": attempt.get_outcome_display()
        }
    elif attempt.ended_at is None:
        outcome = _("running for %(duration)s") % {"duration": length}
    elif attempt.outcome == Outcome.RETRY:
        # "To be tried again after 40 s" would tell of the time until then.
        outcome = _("failed for now after %(duration)s") % {"duration": length}
    else:
        outcome = _("%(outcome)s after %(duration)s") % {
            "outcome": attempt.get_outcome_display(),
            "duration": length,
        }
    kind = attempt.outcome or Status.PROCESSING
    worker = _("on %(worker)s") % {"worker": attempt.worker}
    return Event(attempt.started_at, kind, title, f"{outcome}, {worker}", attempt.message)
