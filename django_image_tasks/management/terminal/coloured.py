"""What people read in a terminal, drawn by rich."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils import timezone
from django.utils.translation import gettext as _
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

from django_image_tasks.management.terminal.bars import STYLES, Bars
from django_image_tasks.management.terminal.plain import (
    Plain,
    Show,
    heading,
    label,
    split,
    timeline,
)
from django_image_tasks.management.terminal.text import age, json_lines, printable
from django_image_tasks.models import Attempt, Task
from django_image_tasks.states import Status

WIDE = 100
"""Columns of a terminal that has room for all of a list's."""


class Coloured(Plain):
    def __init__(
        self, out: OutputWrapper, err: OutputWrapper, *, no_color: bool, force_terminal: bool
    ) -> None:
        super().__init__(out, err)
        out.ending = ""  # rich ends its lines itself
        self.console = Console(
            file=out,  # type: ignore[arg-type]  # registered as a TextIOBase
            no_color=no_color or None,
            force_terminal=force_terminal or None,
            highlight=False,
        )

    def page(self, answer: Mapping[str, Any]) -> None:
        if not answer["tasks"]:
            return self.hint(_("No tasks."))
        table = self._table()
        columns = self._columns()
        for name, column in columns.items():
            text = _("age") if name == "created_at" else heading(name)
            table.add_column(text, no_wrap=True, **column)
        for task in answer["tasks"]:
            table.add_row(*(self._cell(task, name) for name in columns))
        return self.console.print(table)

    def _columns(self) -> dict[str, dict[str, Any]]:
        """As many as leave room for a name; an id must be whole, to be copied."""
        columns: dict[str, dict[str, Any]] = {
            "id": {"min_width": 36},
            "status": {"min_width": len(Status.PROCESSING)},
            "progress": {"min_width": 3, "justify": "right"},
            "type": {},
            "owner": {"max_width": 36 if self.console.width >= WIDE else 8},
            "created_at": {"min_width": 3, "justify": "right"},
            "name": {"ratio": 1, "style": "bold"},
        }
        if self.console.width < WIDE:
            del columns["type"]
        return columns

    def _cell(self, task: Mapping[str, Any], name: str) -> Text:
        value = task.get(name, "")
        if name == "created_at" and value:
            value = age(timezone.now() - datetime.fromisoformat(value))
        return self._text(value, STYLES.get(value, "") if name == "status" else "")

    def task(self, task: Mapping[str, Any], attempts: Sequence[Attempt]) -> None:
        words, documents = split(task)
        grid = Table.grid(padding=(0, 2))
        for name, value in words.items():
            style = STYLES.get(value, "") if name == "status" else ""
            style = STYLES["failure"] if name == "message" else style
            grid.add_row(Text(label(name), "dim"), self._text(value, style))
        self.console.print(grid)
        if attempts:
            self.title(_("attempts"))
            self.console.print(self._timeline(attempts))
        for name, document in documents.items():
            self.title(label(name))
            lines = [printable(line, self.encoding) for line in json_lines(document)]
            self.console.print(JSONHighlighter()(Text("\n".join(lines))), soft_wrap=True)

    def _timeline(self, attempts: Sequence[Attempt]) -> Table:
        headings, rows = timeline(attempts)
        table = self._table()
        *others, message = headings
        for text in others:
            table.add_column(text, no_wrap=True, max_width=24)
        table.add_column(message, ratio=1)
        for row in rows:
            table.add_row(*(self._text(cell, STYLES.get(cell, "")) for cell in row))
        return table

    @contextmanager
    def watching(self) -> Iterator[Show]:
        with Bars(console=self.console) as bars:

            def show(tasks: Iterable[Task]) -> None:
                for task in tasks:
                    bars.show(task, self._text(task.name), self._text(task.message))

            yield show

    def title(self, text: str) -> None:
        self.console.print()
        self.console.print(Text(text, "bold"))

    def line(self, text: str) -> None:
        self.console.print(self._text(text))

    def _table(self) -> Table:
        return Table(
            box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold"
        )

    def _text(self, value: Any, style: str = "") -> Text:
        return Text(printable(value, self.encoding), style)
