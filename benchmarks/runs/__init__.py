"""The benchmarks: each module has a ``TITLE`` and ``measure(options)``, which returns Markdown."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
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
    "wait": "waiting",
    "fleet": "fleet",
    "admin": "admin",
    "watch": "watching",
}


class Options(NamedTuple):
    database: str
    rows: tuple[int, ...]
    """The sizes of the tables, ascending."""
    quick: bool
    before: Path | None = None
    """A checkout of an older version, to compare with."""

    def rows_up_to(self, most: int) -> int:
        """Return the largest size that is no larger than this, or else the smallest of all."""
        return max((rows for rows in self.rows if rows <= most), default=self.rows[0])


def module(name: str) -> Any:
    """Import the benchmark of this name. Django must have been set up before."""
    return import_module(f"benchmarks.runs.{MODULES[name]}")
