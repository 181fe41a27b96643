from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from django.core.management.base import OutputWrapper

from django_image_tasks.management.terminal.json_lines import JSONLines
from django_image_tasks.management.terminal.plain import Plain


def face_for(
    out: OutputWrapper,
    err: OutputWrapper,
    *,
    json: bool = False,
    no_color: bool = False,
    force_color: bool = False,
    **options: Any,
) -> Plain:
    """How to answer: as JSON, drawn by rich in a terminal, or else as plain text."""
    if json:
        return JSONLines(out, err)
    is_terminal = out.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    if not (is_terminal or force_color) or find_spec("rich") is None:
        return Plain(out, err)
    from django_image_tasks.management.terminal.coloured import Coloured

    return Coloured(out, err, no_color=no_color, force_terminal=force_color)
