"""What the command prints: text for people, or JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils import timezone
from django.utils.translation import gettext as _

from django_image_tasks.management.terminal.operator_api import represent
from django_image_tasks.management.terminal.text import GAP, aligned, printable, status
from django_image_tasks.measures import duration, transferred
from django_image_tasks.models import Attempt, Task
from django_image_tasks.serializers import wire_time

ROLES = {
    "pending": "WARNING",
    "processing": "HTTP_NOT_MODIFIED",
    "success": "SUCCESS",
    "failure": "ERROR",
}
"""The role in Django's palettes that colours a status, or the outcome of an attempt."""


class TextOutput:
    """Lines for people, with whole values, as a pipe or a file takes them."""

    columns: tuple[str, ...] = ("id", "status", "progress", "type", "owner", "created_at", "name")
    room: float = inf
    """How many columns of a terminal a line of a list may take."""

    unread: tuple[str, ...] = ("input", "result")
    """The fields that watching need not read from the database."""

    def __init__(self, out: OutputWrapper, err: OutputWrapper, style: Any) -> None:
        self.out = out
        self.err = err
        self.style = style
        self.encoding = getattr(out, "encoding", None) or "utf-8"
        self.printed: dict[Any, Any] = {}
        """What was printed last of each task, by its id."""

    def answer(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Print what a command has done or found: a JSON document, or else the lines."""
        for line in lines:
            self.line(line)

    def hint(self, sentence: str) -> None:
        """Print what is no part of an answer, and no error either."""
        self.err.write(sentence, str)

    def watched(self, tasks: Collection[Task]) -> None:
        """Print how the tasks are now: a line for each that has changed."""
        for task in tasks:
            words = status(task), f"{task.progress} %", transferred(task), printable(task.message)
            line = GAP.join(filter(None, words))
            if self.printed.get(task.pk) != line:
                self.printed[task.pk] = line
                self.line(GAP.join([f"{timezone.now():%H:%M:%S}", str(task.pk), line]))
        self.out.flush()

    def line(self, text: str) -> None:
        """Print a line, with question marks for what the output's encoding lacks."""
        self.out.write(text.encode(self.encoding, "replace").decode(self.encoding))

    def page(self, tasks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """The lines of a list of tasks."""
        headings = labels(Task) | {"progress": "%", "age": _("age")}
        has_messages = any(task.get("message") for task in tasks)
        columns = [name for name in self.columns if name != "message" or has_messages]
        rows = []
        for task in tasks:
            span = timezone.now() - datetime.fromisoformat(task["created_at"])
            rows.append([{**task, "age": duration(span, units=1)}[name] for name in columns])
        return self.table([headings[name] for name in columns], rows, self.room)

    def task(self, task: Mapping[str, Any], attempts: Sequence[Attempt]) -> Iterator[str]:
        """The lines that show all of a task: its fields, its attempts and its JSON documents."""
        names = labels(Task)
        fields = {
            names.get(name, name): value
            for name, value in task.items()
            if name not in ("self", "schema") and value not in ("", None)
        }
        documents = {
            name: value for name, value in fields.items() if isinstance(value, dict | list)
        }
        yield from self.table([], [field for field in fields.items() if field[0] not in documents])
        if attempts:
            yield from ("", self.style.MIGRATE_HEADING(_("attempts")))
            yield from self.attempts(attempts)
        for name, document in documents.items():
            yield from ("", self.style.MIGRATE_HEADING(name))
            for line in json.dumps(document, indent=2, ensure_ascii=False).splitlines():
                yield GAP + printable(line)

    def attempts(self, attempts: Sequence[Attempt]) -> Iterator[str]:
        headings = labels(Attempt) | {"took": _("took")}
        names = ("number", "outcome", "worker", "started_at", "took", "message")
        rows = [
            (each.number, each.outcome, each.worker, wire_time(each.started_at), took, each.message)
            for each in attempts
            for took in [duration((each.ended_at or timezone.now()) - each.started_at)]
        ]
        return self.table([headings[name] for name in names], rows)

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[Any]], room: float = inf
    ) -> Iterator[str]:
        """The lines of a table. Statuses stand in its second column, which gets their colours."""
        texts = [[printable(value) for value in row] for row in rows]
        if headings and rows:
            texts.insert(0, [text.upper() for text in headings])
        for number, (row, cells) in enumerate(zip(texts, aligned(texts, room), strict=True)):
            cells[-1] = cells[-1].rstrip()
            if number or not headings:
                cells[1] = self.paint(row[1], cells[1])
                yield GAP.join(cells).rstrip()
            else:
                yield self.style.MIGRATE_HEADING(GAP.join(cells))

    def paint(self, status: str, text: str) -> str:
        """The text in the colour of the status; as it is for other words."""
        return str(getattr(self.style, ROLES.get(status, ""), str)(text))


class JSONOutput(TextOutput):
    """Each of the API's answers on a line, for scripts."""

    unread = ()

    def answer(self, document: Mapping[str, Any], lines: Iterable[str] = ()) -> None:
        if self.printed.get(document.get("id")) != document:
            self.printed[document.get("id")] = document
            self.out.write(json.dumps(document))

    def hint(self, sentence: str) -> None:
        return

    def watched(self, tasks: Collection[Task]) -> None:
        for task in tasks:
            self.answer(represent(task))
        self.out.flush()


def labels(model: type[Task | Attempt]) -> dict[str, str]:
    """The names of a model's fields for people."""
    return {field.name: str(field.verbose_name) for field in model._meta.fields}
