"""Running the clients' commands, as a user does, and reading the tables they print."""

from __future__ import annotations

import os
import subprocess

import pytest

only_at_root = pytest.mark.parametrize("mount", [""], ids=["root"])
"""For what does not depend on the place: a command takes a second or two to start."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, check=False, cwd=os.environ["HOME"], text=True, timeout=60
    )


def rows(table: str) -> list[tuple[str, ...]]:
    """The cells of a table, without its heading."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[1:]]
