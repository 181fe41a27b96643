"""What is measured: each module has ``measure(options)``, which returns what JSON can hold, and
``tables(data)``, which shows that as Markdown."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

MODULES = {
    "list": "listing",
    "flat": "flatness",
    "parameters": "parameters",
    "size": "sizing",
    "serve": "serving",
    "create": "creating",
    "import": "importing",
    "worker": "working",
}


class Options(NamedTuple):
    database: str
    rows: tuple[int, ...]
    """The sizes of the tables, ascending."""
    quick: bool

    def rows_up_to(self, most: int) -> int:
        """The largest table that is no larger than this, else the smallest."""
        return max((rows for rows in self.rows if rows <= most), default=self.rows[0])


def module(name: str) -> Any:
    """Only once Django has been set up."""
    return import_module(f"benchmarks.runs.{MODULES[name]}")
