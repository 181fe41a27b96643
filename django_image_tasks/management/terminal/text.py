from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from unicodedata import combining, east_asian_width

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from django_image_tasks.models import Task
from django_image_tasks.states import Status


def printable(text: Any, encoding: str = "utf-8") -> str:
    """On one line, with nothing in it that a terminal obeys or cannot show."""
    line = "".join(
        char if char.isprintable() else " " if char.isspace() else "\ufffd" for char in str(text)
    )
    return line.encode(encoding, "replace").decode(encoding)


def width(text: str) -> int:
    """How many columns of a terminal it takes."""
    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def json_lines(document: Any) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False).splitlines()


def size(number: float) -> str:
    return printable(filesizeformat(number))


def status(task: Task) -> str:
    """As the API calls it, but for who waits for a task to stop."""
    return _("cancelling") if task.cancel_requested_at and not task.finished_at else task.status


def sizes(task: Task) -> str:
    """What is done of how much."""
    if task.status == Status.SUCCESS:
        return size(task.bytes_total or task.bytes_done) if task.bytes_done else ""
    if task.bytes_total:
        return f"{size(task.bytes_done)} / {size(task.bytes_total)}"
    return size(task.bytes_done) if task.bytes_done else ""


def age(span: timedelta) -> str:
    """In its largest unit: ``45s``, ``12m``, ``3h``, ``8d``."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in {"d": 86_400, "h": 3_600, "m": 60}.items():
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
