"""Sizes, rates, durations and times as people read them, on every page and in the terminal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext_lazy

from django_image_tasks.states import Status

if TYPE_CHECKING:
    from django_image_tasks.models import Task

AGO: Any = {
    "year": npgettext_lazy("ago", "%(num)d year", "%(num)d years", "num"),
    "month": npgettext_lazy("ago", "%(num)d month", "%(num)d months", "num"),
    "week": npgettext_lazy("ago", "%(num)d week", "%(num)d weeks", "num"),
    "day": npgettext_lazy("ago", "%(num)d day", "%(num)d days", "num"),
    "hour": npgettext_lazy("ago", "%(num)d hour", "%(num)d hours", "num"),
    "minute": npgettext_lazy("ago", "%(num)d minute", "%(num)d minutes", "num"),
}
"""Django's own words stand in the nominative: German says "3 Tage", but "vor 3 Tagen"."""
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def readable_size(size: float) -> str:
    """A size in binary units, in the reader's language: ``12.3 MiB``."""
    number, unit = _scaled(size)
    if unit == UNITS[0]:
        text = ngettext("%(number)s byte", "%(number)s bytes", int(number))
        return text % {"number": number_format(number, decimal_pos=0)}
    return f"{number_format(number, decimal_pos=1)} {unit}"


def plain_size(size: float) -> str:
    """A size as a task's message says it, in English and in few digits: ``10 GiB``."""
    number, unit = _scaled(size)
    return f"{number:.4g} {unit}"


def transferred(task: Task) -> str:
    """How much of its bytes a task has done: ``12.3 MiB of 40.0 MiB``.

    One size where no total is known or all of it is done; empty while there is nothing to tell.
    """
    done, total = task.bytes_done, task.bytes_total
    if not (done or total):
        return ""
    # The last reports of an attempt that succeeds may not have been worth a write.
    if total and task.status == Status.SUCCESS:
        done = total
    if total is None or done == total:
        return readable_size(done)
    return _("%(done)s of %(total)s") % {"done": readable_size(done), "total": readable_size(total)}


def rate(task: Task) -> str:
    """The average rate of a task's last attempt: ``5.1 MiB/s``; empty while it is unknown."""
    if not task.started_at or not task.bytes_done:
        return ""
    time = (task.finished_at or task.updated_at) - task.started_at
    if time < timedelta(milliseconds=200):
        return ""
    done = task.bytes_total if task.status == Status.SUCCESS else None
    return f"{readable_size((done or task.bytes_done) / time.total_seconds())}/s"


def duration(length: timedelta, units: int = 2) -> str:
    """A duration in its largest units: ``1 min 12 s``, or ``1 min`` with ``units=1``."""
    seconds = max(0, int(length.total_seconds()))
    parts = [
        (_("%(number)d d"), seconds // 86_400),
        (_("%(number)d h"), seconds // 3_600 % 24),
        (_("%(number)d min"), seconds // 60 % 60),
        (_("%(number)d s"), seconds % 60),
    ]
    while not parts[0][1] and len(parts) > 1:
        del parts[0]
    return " ".join(words % {"number": number} for words, number in parts[:units])


def relative_time(value: datetime) -> SafeString:
    """How long ago, or how soon, as a ``<time>`` that says exactly when on hover.

    ``live.js`` says it anew while the page is open.
    """
    now, local = timezone.now(), timezone.localtime(value)
    if abs(now - value) < timedelta(minutes=1):
        text = _("just now")
    elif value > now:
        text = _("in %(time)s") % {"time": timeuntil(value, now, AGO, 1)}
    else:
        text = _("%(time)s ago") % {"time": timesince(value, now, time_strings=AGO, depth=1)}
    exactly = format_date(local, "Y-m-d H:i:s T")
    html = '<time datetime="{}" title="{}" data-relative>{}</time>'
    return format_html(html, local.isoformat(), exactly, text)


def _scaled(size: float) -> tuple[float, str]:
    """A size as a number below 1024, as far as there are units, and its unit."""
    power = min(len(UNITS) - 1, max(0, int(size).bit_length() - 1) // 10)
    return size / 1024**power, UNITS[power]
