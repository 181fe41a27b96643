"""``manage.py image_tasks``, run in this process."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command


class Ran(NamedTuple):
    """What it said, and what the shell would get."""

    out: str
    err: str
    code: int

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def answers(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


class Screen(StringIO):
    """A terminal, of which the tests choose the size."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("TERM", "xterm")
        self.size(80)

    def size(self, columns: int, lines: int = 24) -> None:
        self.monkeypatch.setenv("COLUMNS", str(columns))
        self.monkeypatch.setenv("LINES", str(lines))

    def isatty(self) -> bool:
        return True


def image_tasks(*args: Any, stdout: StringIO | None = None) -> Ran:
    out, err = stdout or StringIO(), StringIO()
    error, code = "", 0
    try:
        call_command("image_tasks", *map(str, args), stdout=out, stderr=err)
    except CommandError as refusal:
        error, code = str(refusal), refusal.returncode
    except SystemExit as ended:
        code = int(ended.code or 0)
    return Ran(out.getvalue(), err.getvalue() + error, code)
