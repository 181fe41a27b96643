"""What the command draws in a terminal that can move its cursor."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from shutil import get_terminal_size
from typing import Any

from django.utils import timezone

from django_image_tasks.management.terminal import text
from django_image_tasks.management.terminal.output import TextOutput
from django_image_tasks.measures import rate, transferred
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED, Status


class ScreenOutput(TextOutput):
    """Lists that are cut to the terminal's width, and a bar for each task that is watched."""

    drawn = 0
    """How many bars stand above the cursor."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.room = get_terminal_size().columns
        middle = ("type", "owner") if self.room >= 100 else ("owner",)
        self.columns = ("id", "status", "progress", *middle, "age", "name")

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
        rows = text.aligned([facts(task, columns // 8) for task in tasks])
        for task, (name, state, *others) in zip(tasks, rows, strict=True):
            room = max(0, columns - text.width(text.GAP.join([name, state, "", *others])))
            done = room * task.progress // 100
            bar = self.paint(task.status, full * done) + empty * (room - done)
            yield text.GAP.join([name, self.paint(task.status, state), bar, *others])


def facts(task: Task, room: int) -> list[str]:
    """What stands beside a bar: the name, the status, how much is done, how fast, for how long."""
    name = text.cut(text.printable(task.name) or str(task.pk)[:8], room)
    speed = rate(task) if task.status == Status.PROCESSING else ""
    begin, end = task.started_at, task.finished_at or timezone.now()
    # A clock that ticks: always as wide, where every column of the bar counts.
    elapsed = str(end - begin).partition(".")[0] if begin else ""
    return [name, text.status(task), f"{task.progress:>3} %", transferred(task), speed, elapsed]
