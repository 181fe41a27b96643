"""What people read where there is no terminal, or no rich: aligned text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils import timezone
from django.utils.translation import gettext as _

from django_image_tasks.management.terminal.text import (
    age,
    json_lines,
    printable,
    sizes,
    status,
    width,
)
from django_image_tasks.models import Attempt, Task
from django_image_tasks.serializers import wire_time

Show = Callable[[Iterable[Task]], None]

COLUMNS = ("id", "status", "progress", "type", "owner", "created_at", "name")


class Plain:
    """A face of the command: what it answers, as lines of text."""

    unread: tuple[str, ...] = ("input", "result")
    """The columns that watching need not read."""

    def __init__(self, out: OutputWrapper, err: OutputWrapper) -> None:
        self.out = out
        self.err = err
        self.encoding = getattr(out, "encoding", None) or "utf-8"

    def page(self, answer: Mapping[str, Any]) -> None:
        """The API's answer to a list."""
        if not answer["tasks"]:
            return self.hint(_("No tasks."))
        rows = [[str(task.get(name, "")) for name in COLUMNS] for task in answer["tasks"]]
        return self.table([heading(name) for name in COLUMNS], rows)

    def task(self, task: Mapping[str, Any], attempts: Sequence[Attempt]) -> None:
        """The whole of it, and how it went."""
        words, documents = split(task)
        self.table(None, [[label(name), str(value)] for name, value in words.items()])
        if attempts:
            self.title(_("attempts"))
            self.table(*timeline(attempts))
        for name, document in documents.items():
            self.title(label(name))
            for line in json_lines(document):
                self.line(f"  {line}")

    def done(self, task: Mapping[str, Any], sentence: str) -> None:
        """Something was done to the task."""
        self.line(sentence)

    def hint(self, sentence: str) -> None:
        """What is no part of the answer."""
        self.err.write(printable(sentence, self.encoding))

    def counts(self, counts: Mapping[str, int], sentence: str) -> None:
        self.line(sentence)

    @contextmanager
    def watching(self) -> Iterator[Show]:
        """Gives a function that shows how the tasks are now: a line for each change."""
        shown: dict[Any, str] = {}

        def show(tasks: Iterable[Task]) -> None:
            for task in tasks:
                words = status(task), f"{task.progress} %", sizes(task), task.message
                line = "  ".join(filter(None, words))
                if shown.get(task.pk) != line:
                    shown[task.pk] = line
                    self.line(f"{timezone.now():%H:%M:%S}  {task.pk}  {line}")
            self.out.flush()

        yield show

    def title(self, text: str) -> None:
        self.line("")
        self.line(text)

    def table(self, headings: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
        lines = [[printable(cell, self.encoding) for cell in row] for row in rows]
        if headings:
            lines.insert(0, [text.upper() for text in headings])
        widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
        for cells in lines:
            pairs = zip(cells, widths, strict=True)
            self.line("  ".join(cell + " " * (wide - width(cell)) for cell, wide in pairs).rstrip())

    def line(self, text: str) -> None:
        self.out.write(printable(text, self.encoding))


def label(name: str) -> str:
    """A field's name for people."""
    names = {field.name: str(field.verbose_name) for field in Task._meta.fields}
    return names.get(name, name)


def heading(name: str) -> str:
    return "%" if name == "progress" else label(name)


def split(task: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What fits on a line each, and what is a document of its own."""
    shown = {name: value for name, value in task.items() if name not in ("self", "schema")}
    documents = {name: value for name, value in shown.items() if isinstance(value, dict | list)}
    words = {
        name: value
        for name, value in shown.items()
        if name not in documents and value not in ("", None)
    }
    return words, documents


def timeline(attempts: Sequence[Attempt]) -> tuple[list[str], list[list[str]]]:
    names = {field.name: str(field.verbose_name) for field in Attempt._meta.fields}
    headings = [names[name] for name in ("number", "worker", "started_at", "outcome", "message")]
    headings.insert(3, _("took"))
    return headings, [
        [
            str(attempt.number),
            attempt.worker,
            wire_time(attempt.started_at),
            age((attempt.ended_at or timezone.now()) - attempt.started_at),
            attempt.outcome,
            attempt.message,
        ]
        for attempt in attempts
    ]
