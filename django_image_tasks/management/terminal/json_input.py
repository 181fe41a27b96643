"""A task's input as it comes from a command line, a file or a pipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.utils.translation import gettext as _


def read(source: str) -> Any:
    """``{…}``, ``@file`` or ``-``. Raises CommandError for what is not JSON, or cannot be read."""
    try:
        return json.loads(_text(source))
    except OSError as error:
        reason = f"{source.removeprefix('@')}: {error.strerror}"
    except RecursionError:
        reason = _("it is nested too deeply")
    except ValueError as error:  # among them: bytes that are not UTF-8, too many digits
        reason = str(error)
    raise CommandError(_("The input cannot be read as JSON: %(reason)s") % {"reason": reason})


def _text(source: str) -> str | bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    return Path(source[1:]).read_bytes() if source.startswith("@") else source
