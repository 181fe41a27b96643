"""The cells of the list. Each is made from the row alone: no query for a cell."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_image_tasks import measures
from django_image_tasks.browsable.badges import status_badge
from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import UNFINISHED, Status

MESSAGE_LENGTH = 500
"""So many characters of a message go with a row of the list."""


def with_columns(rows: TaskQuerySet) -> TaskQuerySet:
    """The rows with what the columns show, and without what may be large."""
    beginning = Substr("message", 1, MESSAGE_LENGTH + 1)
    return rows.defer("input", "result", "message").annotate(beginning_of_message=beginning)


@admin.display(description=_("task"))
def label(task: Task) -> str:
    """The task's name, or the beginning of its id."""
    return task.name or format_html('<code title="{}">{}</code>', task.pk, str(task.pk)[:8])


@admin.display(description=_("status"), ordering="status")
def badge(task: Task) -> SafeString:
    """The task's status, and beside it what the status alone does not tell."""
    if is_stuck(task):
        text, title = gettext("stuck"), gettext("Its lease ran out, nobody looks after it")
    elif task.expires_at and task.expires_at <= timezone.now():
        text, title = gettext("expired"), gettext("Hidden from the API, and soon purged")
    else:
        return status_badge(task.status)
    remark = format_html(' <span class="task-remark" title="{}">{}</span>', title, text)
    return status_badge(task.status) + remark


@admin.display(description=_("progress"))
def bar(task: Task) -> SafeString:
    """The task's progress. ``live.js`` follows the bars that are marked with ``data-live``."""
    return format_html(
        '<span class="task-progress {}" data-task="{}"{}>'
        '<progress max="100" value="{}" aria-label="{}"></progress>'
        '<span class="task-percent" title="{}">{}</span></span>',
        task.status,
        task.pk,
        SafeString(" data-live" if task.status in UNFINISHED else ""),
        task.progress,
        gettext("Progress of %(task)s") % {"task": task},
        measures.transferred(task),
        percent(task),
    )


@admin.display(description=_("created"), ordering="created_at")
def created(task: Task) -> SafeString:
    """How long ago the task was created."""
    return measures.relative_time(task.created_at)


@admin.display(description=_("finished"))
def finished(task: Task) -> SafeString | None:
    """How long ago the task finished."""
    return measures.relative_time(task.finished_at) if task.finished_at else None


@admin.display(description=_("duration"))
def duration(task: Task) -> str | None:
    """How long the last attempt took, or has been running."""
    if task.started_at is None or task.status == Status.PENDING:
        return None
    return measures.duration((task.finished_at or timezone.now()) - task.started_at)


@admin.display(description=_("message"))
def line(task: Any) -> SafeString | None:
    """The beginning of the task's message, as :func:`with_columns` has read it."""
    text: str = task.beginning_of_message
    if not text:
        return None
    if len(text) > MESSAGE_LENGTH:
        text = text[:MESSAGE_LENGTH] + "…"
    return format_html('<span class="task-message" title="{}">{}</span>', text, text)


def live_state(task: Task, cells: dict[str, str]) -> dict[str, Any]:
    """What ``live.js`` is told of a task, with the cells that may have changed."""
    return {
        "id": task.pk,
        "status": task.status,
        "is_finished": task.status not in UNFINISHED,
        "progress": task.progress,
        "percent": percent(task),
        "size": measures.transferred(task),
        "news": gettext("%(task)s: %(status)s")
        % {"task": task, "status": task.get_status_display()},
        "cells": {name: conditional_escape(cell) for name, cell in cells.items()}
        | {"attempts": str(task.attempts)},
    }


def percent(task: Task) -> str:
    """The task's progress, as the reader's language writes percentages."""
    return gettext("%(number)d %%") % {"number": task.progress}


def is_stuck(task: Task) -> bool:
    """Whether :meth:`~django_image_tasks.querysets.TaskQuerySet.stale` finds the task."""
    lease = task.lease_expires_at
    return task.status in UNFINISHED and lease is not None and lease <= timezone.now()
