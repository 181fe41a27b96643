"""What the command draws in a terminal, as a picture."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Iterable, Sequence
from select import select
from signal import SIGKILL
from time import monotonic

from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 112, 30
START = 30
"""Seconds that Python and Django may take."""
REDRAWN = re.compile(r"\x1b\[(\d+)A\x1b\[J")
"""How the command goes back so many lines to draw what is in motion anew."""
FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def screen(arguments: Sequence[str], moments: Iterable[float]) -> str:
    """What a person sees after these moments, in seconds each: the last drawing, in ANSI.

    The first of them begins when there is something to see.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
        os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **size})
    select([terminal], [], [], START)
    output = b""
    for seconds in moments:
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0 and select([terminal], [], [], left)[0]:
            output += os.read(terminal, 1 << 16)
    os.kill(pid, SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return last_drawing(output.decode())


def last_drawing(output: str) -> str:
    """What is on the screen: the lines that were not drawn over, and then the newest."""
    first, *redrawn = REDRAWN.split(output)
    lines = first.split("\n")
    for up, drawn in zip(redrawn[::2], redrawn[1::2], strict=True):
        lines = [*lines[: -int(up) - 1], *drawn.split("\n")]
    return "\n".join(lines)


def drawing(title: str, lines: str) -> str:
    """An SVG of a terminal that shows the lines."""
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        console.print(Text.from_ansi(lines.replace("\r", "")))
        svg = console.export_svg(title=title)
    # Fonts of this machine, instead of others' servers.
    return FONT_FACE.sub("", svg).replace("Fira Code", "DejaVu Sans Mono")
