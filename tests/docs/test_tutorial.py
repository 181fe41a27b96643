"""docs/tutorial.md, pasted from top to bottom: three terminals, a browser's port, one image."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.docs.project import Project
from tests.docs.readme import ROOT
from tests.handlers.conftest import server
from tests.handlers.fakes import SourceServer, answer
from tests.requirements import needs, needs_program

__all__ = ["server"]

BLOCKS = re.findall(
    r"^```(python|sh)\n(.*?)^```$", (ROOT / "docs/tutorial.md").read_text(), re.M | re.S
)
INSTALLED = re.compile(
    r"^(?:IMAGE_TASKS=|mkdir|python3 -m venv|pip install|\. \.venv|django-admin).*\n", re.M
)
"""What the tests' environment has done already."""
TRUSTED = "'IMPORT_TRUSTED_HOSTS'"


class Terminals:
    """Runs the page's blocks: the first terminal waits for each, the others keep theirs."""

    def __init__(self, project: Project, image: str) -> None:
        self.project = project
        self.image = image
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.others: dict[str, subprocess.Popen[str]] = {}

    def paste(self, code: str) -> str:
        code = re.sub(r"https://download[^\"]+", self.image, INSTALLED.sub("", code))
        code = code.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        if code.startswith("# in a "):
            self._restart(*code.split("\n", 1))
            return ""
        if code.startswith("TOKEN"):
            # As curl alone cannot: wait until the server listens.
            code = f"until (: </dev/tcp/127.0.0.1/{self.port}) 2>&-; do sleep 0.1; done\n{code}"
        return self.project.run("bash", "-ec", code)

    def _restart(self, terminal: str, code: str) -> None:
        if terminal in self.others:
            self._interrupt(self.others[terminal])
        line = code.strip().replace("runserver", f"runserver {self.port}")
        self.others[terminal] = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self.project.path,
            env=self.project.environment,
            text=True,
        )

    def close(self) -> None:
        for process in self.others.values():
            self._interrupt(process)

    def _interrupt(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        finally:
            with suppress(ProcessLookupError):
                process.kill()


@pytest.fixture
def terminals(tmp_path: Path, server: SourceServer) -> Iterator[Terminals]:
    for library in ("requests_hardened", "django_tasks_db"):
        needs(library)
    needs_program("curl")
    server.answers = [answer(bytes(2**16))]
    project = Project(tmp_path)
    project.append("yourproject/settings.py", f"IMAGE_TASKS = {{{TRUSTED}: ['{server.origin}']}}\n")
    terminals = Terminals(project, server.url())
    yield terminals
    terminals.close()


def test_it_ends_in_an_image_and_a_task_of_ones_own(
    terminals: Terminals, server: SourceServer
) -> None:
    printed = ""
    for language, code in BLOCKS:
        if language == "sh":
            printed = terminals.paste(code)
            continue
        file = code.partition("\n")[0].removeprefix("# ")
        # Unlike the page's image, that of this test is on a machine that has to be trusted.
        trusted = code.replace(
            "IMAGE_TASKS = {", f"IMAGE_TASKS = {{{TRUSTED}: ['{server.origin}'],"
        )
        terminals.project.append(file, trusted)
    images = list((terminals.project.path / "media" / "images").glob("*/*"))
    assert [image.stat().st_size for image in images] == 2 * [2**16]
    [task] = [line for line in printed.splitlines() if "verify" in line]
    assert "success" in task
