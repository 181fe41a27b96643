"""A task's status and progress, as every page shows them: a colour, a shape, a bar and words."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from django_image_tasks.states import Status

SHAPES: dict[str, str] = {
    Status.PENDING: '<circle cx="8" cy="8" r="5"/>',
    Status.PROCESSING: '<circle cx="8" cy="8" r="5"/><path d="M8 3a5 5 0 0 1 0 10z"/>',
    Status.SUCCESS: '<path d="m3 8.5 3.5 3.5L13 4.5"/>',
    Status.FAILURE: '<path d="m4 4 8 8m0-8-8 8"/>',
}
"""A shape for each status, for people who cannot tell the colours."""


def status_badge(status: str) -> SafeString:
    """The badge as HTML; ``tasks.css`` has its colours."""
    return format_html(
        '<span class="task-status {}">'
        '<svg class="task-icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>{}</span>',
        status,
        mark_safe(SHAPES.get(status, SHAPES[Status.PENDING])),  # noqa: S308 (a constant)
        Status(status).label if status in Status.values else status,
    )


def progress_bar(status: str, progress: int, name: str, size: str = "") -> SafeString:
    """A task's progress as HTML: a bar that is called after the task, and a percentage.

    ``size`` is how much is done, as people read it. It stands in place of the percentage where a
    running task has none, because nobody knows how much there is to do.
    """
    is_unknown = status == Status.PROCESSING and not progress
    return format_html(
        '<span class="task-progress {}"><progress max="100"{} aria-label="{}"></progress>'
        '<span class="task-percent" title="{}">{}</span></span>',
        status,
        "" if is_unknown else format_html(' value="{}"', progress),
        _("Progress of %(task)s") % {"task": name},
        size,
        size if is_unknown else _("%(number)d %%") % {"number": progress},
    )
