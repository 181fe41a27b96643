"""``manage.py image_tasks`` as a program: in a pseudo-terminal, or at the end of a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A program's own terminal: what it draws there, as it comes."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.master = master
        self.drawn = ""

    def until(self, text: str) -> None:
        while text not in self.drawn and self._read():
            pass
        assert text in self.drawn, self.drawn

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(timeout=10)

    @property
    def text(self) -> str:
        return CONTROLS.sub("", self.drawn)

    def _read(self) -> bool:
        try:
            data = os.read(self.master, 65536)
        except OSError:  # what Linux says when nobody holds the other end any more
            return False
        self.drawn += data.decode(errors="replace")
        return bool(data)


def command(*args: str) -> list[str]:
    return [sys.executable, "manage.py", "image_tasks", *args]


@contextmanager
def terminal(environ: Mapping[str, str], *args: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command(*args), cwd=ROOT, env=environ, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def piped(environ: Mapping[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
