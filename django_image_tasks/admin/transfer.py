"""How far a task has come, in bytes."""

from __future__ import annotations

from datetime import timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_image_tasks.models import Task
from django_image_tasks.states import Status

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def transferred(task: Task) -> str:
    """``12.3 of 40.0 MiB, 5.1 MiB/s``; empty while there is nothing to tell."""
    if not task.bytes_done and not task.bytes_total:
        return ""
    # The last reports of an attempt that succeeds may not have been worth a write.
    total = task.bytes_total
    done = total if total and task.status == Status.SUCCESS else task.bytes_done
    rate = _rate(task, done)
    return f"{_amount(done, total)}{rate and ', '}{rate}"


def _amount(done: int, total: int | None) -> str:
    power = _power(done if total is None else total)
    unit = UNITS[power]
    if total is None or total == done:
        return f"{_number(done, power)} {unit}"
    numbers = {"done": _number(done, power), "total": _number(total, power), "unit": unit}
    return _("%(done)s of %(total)s %(unit)s") % numbers


def _rate(task: Task, done: int) -> str:
    """On the average of the last attempt."""
    until = task.finished_at or task.updated_at
    time = until - task.started_at if task.started_at else timedelta()
    if time < timedelta(milliseconds=200) or not done:
        return ""
    rate = done / time.total_seconds()
    power = _power(rate)
    return f"{_number(rate, power)} {UNITS[power]}/s"


def _power(size: float) -> int:
    return min(len(UNITS) - 1, max(0, int(size).bit_length() - 1) // 10)


def _number(size: float, power: int) -> str:
    return str(number_format(size / 1024**power, decimal_pos=1 if power else 0))
