"""The README's demonstration, for clients to ask."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.readme import ROOT


@contextmanager
def demonstration(directory: Path) -> Iterator[tuple[str, str]]:
    """Its address, and the token of its user ``demo``."""
    environ = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "MEDIA_ROOT": str(directory / "media"),
        "PYTHONUNBUFFERED": "1",
    }
    with (directory / "demonstration.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port=0"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield _read(process)
        finally:
            process.terminate()
            process.communicate()


def _read(process: subprocess.Popen[str]) -> tuple[str, str]:
    printed = ""
    for line in process.stdout or ():
        printed += line
        if "Quit the server" in line:
            break
    [root] = re.findall(r"^The API +(\S+)/v2/tasks$", printed, re.MULTILINE)
    [token] = re.findall(r"^ *demo +demo +(\S+)$", printed, re.MULTILINE)
    return root, token
