"""Where the tools are installed, and what they make."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path


class Workshop:
    """A directory with an environment of Python's and one of npm's, each made when it is needed.

    ``serve`` starts the demonstration, and returns its address and a token.
    """

    def __init__(self, directory: Path, serve: Callable[[], tuple[str, str]]) -> None:
        self.directory = directory
        self.served = cache(serve)

    @cached_property
    def _python(self) -> Path:
        programs = self.directory / "python" / "bin"
        subprocess.run([sys.executable, "-m", "venv", programs.parent], check=True)
        return programs

    def pip(self, *requirements: str) -> None:
        command = [self._python / "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*command, *requirements], check=True)

    def npm(self, *packages: str) -> None:
        manifest = self.directory / "package.json"
        if not manifest.exists():
            manifest.write_text('{"private": true, "type": "module"}')
        options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"]
        subprocess.run(["npm", "install", *options, *packages], cwd=self.directory, check=True)

    def run(self, *command: str) -> None:
        """Run a program that is installed here, in the directory; shows its output if it fails."""
        programs = [str(self._python), str(self.directory / "node_modules" / ".bin")]
        environ = {
            **os.environ,
            "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        }
        environ.pop("PYTHONPATH", None)
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stdout}")
