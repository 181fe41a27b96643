from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, ProgressColumn, TaskID, TextColumn
from rich.progress import Task as Bar
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

from django_image_tasks.management.terminal.text import size, sizes, status
from django_image_tasks.models import Task
from django_image_tasks.states import Status

STYLES = {"pending": "yellow", "processing": "cyan", "success": "green", "failure": "red"}


class StatusColumn(ProgressColumn):
    def render(self, task: Bar) -> Text:
        return Text(task.fields["shown"], STYLES[task.fields["status"]])


class StatusBar(ProgressColumn):
    """In the colour of the status; to and fro while nobody knows how much there is to do."""

    def render(self, task: Bar) -> ProgressBar:
        style = STYLES[task.fields["status"]]
        return ProgressBar(
            total=task.total,
            completed=task.completed,
            pulse=task.total is None,
            animation_time=task.get_time(),
            complete_style=style,
            finished_style=style,
            pulse_style=style,
        )


class RateColumn(ProgressColumn):
    def render(self, task: Bar) -> Text:
        running = task.fields["status"] == Status.PROCESSING
        return Text(f"{size(task.speed)}/s" if running and task.speed else "")


def _text(template: str, **column: Any) -> TextColumn:
    # No markup: the names are other people's.
    return TextColumn(template, markup=False, table_column=Column(no_wrap=True, **column))


class Bars:
    """A bar for each task."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            _text("{task.description}", ratio=2, min_width=12),
            StatusColumn(table_column=Column(min_width=len(Status.PROCESSING))),
            StatusBar(table_column=Column(ratio=3)),
            _text("{task.fields[percent]:>3} %"),
            _text("{task.fields[sizes]}", justify="right"),
            RateColumn(table_column=Column(justify="right", no_wrap=True)),
            _text("{task.fields[elapsed]}", justify="right"),
            console=console,
            expand=True,
        )
        self.bars: dict[UUID, TaskID] = {}
        self.failed: set[UUID] = set()

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def show(self, task: Task, name: Text, message: Text) -> None:
        fields = self._fields(task)
        if task.pk in self.bars:
            self.progress.update(self.bars[task.pk], **fields)
        else:
            description = str(name) or str(task.pk)[:8]
            self.bars[task.pk] = self.progress.add_task(description, **fields)
        if task.status == Status.FAILURE and task.pk not in self.failed:
            self.failed.add(task.pk)
            line = Text.assemble(f"{task.pk} ", ("failure", STYLES["failure"]), ": ", message)
            self.progress.console.print(line)

    def _fields(self, task: Task) -> dict[str, Any]:
        has_total = task.bytes_total is not None and task.status != Status.SUCCESS
        unknown = task.status == Status.PROCESSING and not (task.bytes_total or task.progress)
        end = task.finished_at or timezone.now()
        elapsed = str(end - task.started_at).partition(".")[0] if task.started_at else ""
        return {
            "total": task.bytes_total if has_total else None if unknown else 100,
            "completed": task.bytes_done if has_total or unknown else task.progress,
            "status": task.status,
            "shown": status(task),
            "percent": task.progress,
            "sizes": sizes(task),
            "elapsed": elapsed,
        }
