"""What has been measured so far: one file for each database, one entry for each benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATABASES = ["sqlite", "postgresql", "mariadb"]
Results = dict[str, dict[str, Any]]
"""Database → benchmark → ``run``, the circumstances, and ``data``."""


def record(directory: Path, database: str, benchmark: str, run: Any, data: Any) -> None:
    """In the place of what the same benchmark measured before."""
    path = _path(directory, database)
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = _read(path) | {benchmark: {"run": run, "data": data}}
    path.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")


def load(directory: Path) -> Results:
    found = {database: _read(_path(directory, database)) for database in DATABASES}
    return {database: entries for database, entries in found.items() if entries}


def _path(directory: Path, database: str) -> Path:
    return directory / "results" / f"{database}.json"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}
