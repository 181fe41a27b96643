"""``manage.py image_tasks``, run in this process."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any, NamedTuple

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


def image_tasks(*args: Any) -> Ran:
    out, err = StringIO(), StringIO()
    error, code = "", 0
    try:
        call_command("image_tasks", *map(str, args), stdout=out, stderr=err)
    except CommandError as refusal:
        error, code = str(refusal), refusal.returncode
    return Ran(out.getvalue(), err.getvalue() + error, code)
