"""A project that ``startproject`` made, for the code of our pages to be pasted into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.readme import ROOT, code_for

PASTE = "Into your project"


class Project:
    environment: Mapping[str, str] = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    } | {
        "PYTHONPATH": str(ROOT),
        # ``python`` is ours, as it is in an environment that somebody activated.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run("django-admin", "startproject", "yourproject", str(path))

    def paste_readme(self, file: str, heading: str = PASTE) -> None:
        self.append(f"yourproject/{file}", code_for(file, heading))

    def append(self, file: str, code: str) -> None:
        (self.path / file).parent.mkdir(parents=True, exist_ok=True)
        with (self.path / file).open("a") as opened:
            opened.write(code)

    def manage(self, *arguments: str) -> str:
        return self.run("python", "manage.py", *arguments)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.path, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
