"""The cells of the list. Each is made from the row alone: no query for a cell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models.functions import Substr
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_image_tasks.admin.times import duration, relative_time
from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import UNFINISHED, Status

MESSAGE_LENGTH = 500
"""So much of a message goes with a row of the list."""


def with_columns(rows: TaskQuerySet) -> Any:
    """What the columns show, without what may be large."""
    beginning = Substr("message", 1, MESSAGE_LENGTH + 1)
    return rows.defer("input", "result", "message").annotate(beginning_of_message=beginning)


ICONS = {
    Status.PENDING: '<circle cx="8" cy="8" r="5"/>',
    Status.PROCESSING: '<circle cx="8" cy="8" r="5"/><path d="M8 3a5 5 0 0 1 0 10z"/>',
    Status.SUCCESS: '<path d="m3 8.5 3.5 3.5L13 4.5"/>',
    Status.FAILURE: '<path d="m4 4 8 8m0-8-8 8"/>',
}
"""A shape for each status, for who cannot tell the colours."""


def status_icon(status: str) -> SafeString:
    return format_html(
        '<svg class="task-icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>',
        mark_safe(ICONS[Status(status)]),  # noqa: S308 (a constant)
    )


def status_badge(task: Task) -> SafeString:
    return format_html(
        '<span class="task-status {}">{}{}</span>',
        task.status,
        status_icon(task.status),
        task.get_status_display(),
    )


class ColumnsMixin:
    """The columns of the list that are no plain fields."""

    @admin.display(description=_("task"))
    def label(self, task: Task) -> str:
        return task.name or format_html('<code title="{}">{}</code>', task.pk, str(task.pk)[:8])

    @admin.display(description=_("status"), ordering="status")
    def badge(self, task: Task) -> SafeString:
        return format_html("{}{}", status_badge(task), _remark(task, timezone.now()))

    @admin.display(description=_("progress"))
    def bar(self, task: Task) -> SafeString:
        """Marked for ``live.js`` for as long as it may move."""
        return format_html(
            '<span class="task-progress {}" data-task="{}"{}>'
            '<progress max="100" value="{}" aria-label="{}"></progress>'
            '<span class="task-percent" title="{}">{}</span></span>',
            task.status,
            task.pk,
            SafeString(" data-live" if task.status in UNFINISHED else ""),
            task.progress,
            gettext("Progress of %(task)s") % {"task": task},
            size_done(task),
            gettext("%(number)d %%") % {"number": task.progress},
        )

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, task: Task) -> str:
        return relative_time(task.created_at, timezone.now())

    @admin.display(description=_("finished"))
    def finished(self, task: Task) -> str | None:
        if task.finished_at is None:
            return None
        return relative_time(task.finished_at, timezone.now())

    @admin.display(description=_("duration"))
    def duration(self, task: Task) -> str | None:
        """Of the last attempt."""
        if task.started_at is None or task.status == Status.PENDING:
            return None
        return duration((task.finished_at or timezone.now()) - task.started_at)

    @admin.display(description=_("message"))
    def line(self, task: Any) -> str | None:
        text: str = task.beginning_of_message
        if len(text) > MESSAGE_LENGTH:
            text = text[:MESSAGE_LENGTH] + "…"
        if not text:
            return None
        return format_html('<span class="task-message" title="{}">{}</span>', text, text)


def size_done(task: Task) -> str:
    if not task.bytes_done and not task.bytes_total:
        return ""
    done = filesizeformat(task.bytes_done)
    if task.bytes_total is None:
        return done
    return gettext("%(done)s of %(total)s") % {
        "done": done,
        "total": filesizeformat(task.bytes_total),
    }


def _remark(task: Task, now: datetime) -> str:
    """What the status alone does not tell."""
    lease, expiry = task.lease_expires_at, task.expires_at
    if task.status in UNFINISHED and lease and lease <= now:
        text, title = gettext("stuck"), gettext("Its lease ran out, nobody looks after it")
    elif expiry and expiry <= now:
        text, title = gettext("expired"), gettext("Hidden from the API, and soon purged")
    else:
        return ""
    return format_html(' <span class="task-remark" title="{}">{}</span>', title, text)
