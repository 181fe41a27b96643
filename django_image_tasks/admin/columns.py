"""The cells of the list. Each is made from the row alone: no query for a cell."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_image_tasks import health, measures
from django_image_tasks.browsable.badges import progress_bar, status_badge
from django_image_tasks.clock import DatabaseNow
from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.services import has_retry
from django_image_tasks.states import UNFINISHED, Status

MESSAGE_LENGTH = 500
"""So many characters of a message go with a row of the list."""


def with_columns(rows: TaskQuerySet) -> TaskQuerySet:
    """The rows with what the columns show, and without what may be large."""
    beginning = Substr("message", 1, MESSAGE_LENGTH + 1)
    rows = rows.defer("input", "result", "message")
    return rows.annotate(
        beginning_of_message=beginning, database_now=DatabaseNow(), is_retried=has_retry()
    )


@admin.display(description=_("task"))
def label(task: Task) -> SafeString:
    """The task's name, and the beginning of its id."""
    template = '<span class="task-name" title="{0}">{0}</span> <code title="{1}">{2}</code>'
    return format_html(template, task.name, task.pk, str(task.pk)[:8])


@admin.display(description=_("status"), ordering="status")
def badge(task: Any) -> SafeString:
    """The task's status, what the status alone does not tell, and how far the task is."""
    parts = [status_badge(task.status)]
    if is_stuck(task, task.database_now):
        parts.append(remark(gettext("stuck"), gettext("Its lease ran out, nobody looks after it")))
    elif silent := silent_for(task, task.database_now):
        title = gettext("Its worker has renewed no lease for %(time)s") % {"time": silent}
        parts.append(remark(gettext("silent"), title))
    elif task.expires_at and task.expires_at <= timezone.now():
        parts.append(remark(gettext("expired"), gettext("Hidden from the API, and soon purged")))
    if task.status == Status.FAILURE and getattr(task, "is_retried", False):
        parts.append(remark(gettext("retried"), gettext("A retry waits, runs or has succeeded")))
    parts.append(bar(task))
    mark = format_html(' data-task="{}"', task.pk) if is_moving(task) else ""
    news = gettext("%(task)s: %(status)s") % {"task": task, "status": task.get_status_display()}
    mark = format_html('{} data-news="{}"', mark, news)
    shown = filter(None, parts)
    return _cell(task.pk, "badge", format_html_join(" ", "{}", zip(shown, strict=True)), mark)


def bar(task: Task) -> SafeString:
    """How far the task is; nothing of one that has not begun, or that failed before it got far."""
    if not task.progress and task.status != Status.PROCESSING:
        return SafeString()
    return progress_bar(task.status, task.progress, str(task), measures.transferred(task))


@admin.display(description=_("message"))
def line(task: Any) -> SafeString:
    """The beginning of the task's message, as :func:`with_columns` has read it."""
    text: str = task.beginning_of_message
    if len(text) > MESSAGE_LENGTH:
        text = text[:MESSAGE_LENGTH] + "…"
    message = format_html('<span class="task-message" title="{0}">{0}</span>', text)
    return _cell(task.pk, "line", message if text else "")


@admin.display(description=_("created"), ordering="created_at")
def created(task: Task) -> SafeString:
    """How long ago the task was created, and how long its last attempt took so far."""
    told = measures.relative_time(task.created_at)
    if task.started_at and task.status != Status.PENDING:
        took = measures.duration((task.finished_at or timezone.now()) - task.started_at)
        text = gettext("running for %(time)s") if is_moving(task) else gettext("took %(time)s")
        told += format_html(' <span class="task-quiet">{}</span>', text % {"time": took})
    return _cell(task.pk, "created", told)


@admin.display(description=_("owner"), ordering="owner")
def whose(task: Task) -> SafeString:
    """Whose task it is, and of which type."""
    template = '<span title="{0}">{0}</span> <span class="task-quiet">{1}</span>'
    return format_html(template, task.owner, task.type)


LIVE = (badge, line, created)
"""The columns that may change while somebody looks at them."""


def gone(pk: UUID) -> SafeString:
    """What takes the place of the status of a task that has been purged."""
    return _cell(pk, "badge", remark(gettext("gone"), gettext("It has expired and was purged")))


def remark(text: str, title: str) -> SafeString:
    return format_html('<span class="task-remark" title="{}">{}</span>', title, text)


def _cell(pk: UUID, column: str, content: str, mark: str = "") -> SafeString:
    """The content of a cell, which ``live.js`` finds and replaces by its id."""
    return format_html('<div id="{}-{}" data-live{}>{}</div>', column, pk, mark, content)


def is_moving(task: Task) -> bool:
    """Whether the task may still change."""
    return task.status in UNFINISHED


def is_stuck(task: Task, now: datetime) -> bool:
    """Whether :meth:`~django_image_tasks.querysets.TaskQuerySet.stale` finds the task."""
    lease = task.lease_expires_at
    return is_moving(task) and lease is not None and lease <= now


def silent_for(task: Task, now: datetime) -> str:
    """How long the worker of a running task has been silent; empty if that is not too long."""
    silent = health.silence(task.lease_expires_at, now)
    is_running = task.status == Status.PROCESSING
    return measures.duration(silent) if is_running and health.is_silent(silent) else ""
