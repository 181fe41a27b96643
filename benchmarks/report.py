"""``RESULTS.md``: everything that has been measured so far."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.runs import MODULES, module

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
INTRODUCTION = """# Results

Written by `python -m benchmarks`. Times are medians; the sides of a comparison took turns in one
process, on the same rows and with the same middleware, and had shown the same tasks before. A ratio
is one of medians; in brackets the least and the greatest of its parts (five, in a full run).

![Latency against the size of the table](latency.svg)"""


def write(directory: Path) -> None:
    found = results.load(directory)
    parts = [INTRODUCTION, *(_section(name, entries) for name, entries in found.items())]
    text = "\n\n".join([*parts, _circumstances(found)])
    (directory / "RESULTS.md").write_text(text + "\n")


def tables(benchmark: str, data: Any) -> str:
    return f"### {module(benchmark).TITLE}\n\n{module(benchmark).tables(data)}"


def _section(database: str, entries: dict[str, Any]) -> str:
    parts = [tables(name, entries[name]["data"]) for name in MODULES if name in entries]
    return "\n\n".join([f"## {NAMES[database]}", *parts])


def _circumstances(found: results.Results) -> str:
    """One entry for each command on each machine, with what it measured."""
    runs: dict[tuple[str, ...], list[str]] = {}
    for database, entries in found.items():
        for name in filter(entries.__contains__, MODULES):
            run = entries[name]["run"]
            where = (NAMES[database], run["command"], run["machine"], run["versions"])
            runs.setdefault(where, []).append(f"{name} ({run['date']})")
    entries_of_runs = [
        f"- **{database}:** {', '.join(measured)}; `{command}`; {machine}; {versions}."
        for (database, command, machine, versions), measured in runs.items()
    ]
    return "\n".join(["## Circumstances\n", *entries_of_runs])
