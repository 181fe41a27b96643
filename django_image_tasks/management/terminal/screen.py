"""What the command draws in a terminal that can move its cursor."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from shutil import get_terminal_size
from typing import Any

from django.utils import timezone

from django_image_tasks.management.terminal import text
from django_image_tasks.management.terminal.output import TextOutput
from django_image_tasks.measures import rate, transferred
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED, Status

SHORTEST = 12
"""A bar of fewer columns would tell too little."""


class ScreenOutput(TextOutput):
    """Lists that are cut to the terminal's width, and a bar for each task that is watched."""

    drawn = 0
    """How many bars stand above the cursor."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.room = get_terminal_size().columns
        middle = ("type", "owner") if self.room >= 100 else ("owner",)
        last = ("name", "message") if self.room >= 120 else ("name",)
        self.columns = ("id", "status", "progress", *middle, "age", *last)

    def watched(self, tasks: Collection[Task]) -> None:
        """Draw the bars anew, below a line for each task that has failed since the last time."""
        columns, rows = get_terminal_size()
        failed = [task for task in tasks if task.status == Status.FAILURE]
        told = [
            f"{task.pk} {self.paint(task.status, task.status)}: {text.printable(task.message)}"
            for task in failed
            if task.pk not in self.printed
        ]
        self.printed |= dict.fromkeys(task.pk for task in failed)
        # Where there is no room for all of them, those that have ended are left out first.
        shown = sorted(tasks, key=lambda task: task.status in FINISHED)[: rows - 1]
        up = f"\x1b[{self.drawn}A\x1b[J" if self.drawn else ""
        self.drawn = len(shown)
        # A bar must not wrap (7l), or the next look would go up too few lines.
        bars = "\n".join(self.bars(shown, columns))
        self.line(up + "\n".join([*told, f"\x1b[?7l{bars}\x1b[?7h"]))
        self.out.flush()

    def bars(self, tasks: Collection[Task], columns: int) -> Iterator[str]:
        """A line for each task, as wide as the terminal."""
        full, empty = "━─" if self.encoding.lower().startswith("utf") else "#-"
        heads = text.aligned([head(task, columns // 4) for task in tasks])
        begin = sum(map(text.width, heads[0])) + len(text.GAP) * len(heads[0]) if heads else 0
        room, tails = fitting([facts(task) for task in tasks], columns - begin)
        for task, (pk, name, state), tail in zip(tasks, heads, tails, strict=True):
            beginning = text.GAP.join([pk, name, self.paint(task.status, state)])
            if task.message:
                yield beginning + text.GAP + text.cut(text.printable(task.message), columns - begin)
                continue
            done = room * task.progress // 100
            bar = self.paint(task.status, full * done) + empty * (room - done)
            yield text.GAP.join([beginning, bar, *tail])


def head(task: Task, room: int) -> list[str]:
    """What stands before a bar: the beginning of the id, the name, and the status."""
    name = text.cut(text.printable(task.name), room) if task.name else ""
    return [str(task.pk)[:8], name, text.status(task)]


def facts(task: Task) -> list[str]:
    """What stands behind a bar: how much is done, for how long, how many bytes, and how fast."""
    begin, end = task.started_at, task.finished_at or timezone.now()
    # A clock that ticks: always as wide, where every column of the bar counts.
    elapsed = str(end - begin).partition(".")[0] if begin else ""
    speed = rate(task) if task.status == Status.PROCESSING else ""
    return [f"{task.progress:>3} %", elapsed, transferred(task), speed]


def fitting(rows: Sequence[Sequence[str]], room: int) -> tuple[int, list[list[str]]]:
    """The room for a bar, and as many of the facts as leave it that: the last go first."""
    for count in (4, 3, 2):
        cells = text.aligned([row[:count] for row in rows])
        left = room - (text.width(text.GAP.join(["", *cells[0]])) if cells else 0)
        if left >= SHORTEST:
            break
    return max(0, left), cells
