"""Pieces of text that are safe and straight in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any
from unicodedata import combining, east_asian_width

from django.utils.translation import gettext as _

from django_image_tasks.models import Task

GAP = "  "


def printable(text: Any) -> str:
    """The text on one line, without characters that a terminal would obey."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\ufffd" for char in str(text)
    )


def width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def cut(text: str, room: int) -> str:
    """The text, or as much of its beginning as has room beside an ellipsis."""
    while width(text) > max(room, 1):
        text = text[:-2] + "…"
    return text


def aligned(rows: Sequence[Sequence[str]], room: float = inf) -> list[list[str]]:
    """The cells of a table, padded to columns. The widest are cut until the rows have room.

    The first two columns, an id that people copy and a status, are never cut.
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    while len(GAP) * (len(widths) - 1) + sum(widths) > room and max(widths[2:]) > 1:
        widths[widths.index(max(widths[2:]), 2)] -= 1
    return [
        [
            (text := cut(cell, wide)) + " " * (wide - width(text))
            for cell, wide in zip(row, widths, strict=True)
        ]
        for row in rows
    ]


def status(task: Task) -> str:
    """The API's word for the task's status, or that it has been asked to stop."""
    return _("cancelling") if task.cancel_requested_at and not task.finished_at else task.status
