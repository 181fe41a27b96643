"""The README's snippets, in a project that ``startproject`` made."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.project import PASTE, Project
from tests.docs.readme import blocks
from tests.handlers.conftest import server
from tests.handlers.fakes import SourceServer, answer
from tests.requirements import needs

__all__ = ["server"]

CREATE_AND_LIST = """
from django.contrib.auth.models import User
from django.test import Client

client = Client(headers={"host": "localhost"})
client.force_login(User.objects.create_user("dana"))
task = {"type": "import", "input": {"import_from": "http://images.invalid/"}}
print(client.post("/v2/tasks", task, content_type="application/json").status_code)
print([task["status"] for task in client.get("/v2/tasks").json()["tasks"]])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.paste_readme("settings.py")
    project.paste_readme("urls.py")
    return project


def test_three_lines_and_a_migration_bring_the_api(project: Project) -> None:
    project.manage("check")
    project.manage("migrate")
    printed = project.manage("shell", "-v", "0", "-c", CREATE_AND_LIST)
    assert printed.splitlines() == ["201", "['pending']"]


def test_the_first_task_ends_in_success(project: Project, server: SourceServer) -> None:
    needs("requests_hardened")
    server.answers = [answer(bytes(2**16))]
    migrate, work = blocks("sh", PASTE)[1].splitlines()
    [create] = [block for block in blocks("sh", PASTE) if "create" in block]
    settings = project.path / "yourproject" / "settings.py"
    with settings.open("a") as code:
        code.write(f"IMAGE_TASKS = {{'IMPORT_TRUSTED_HOSTS': ['{server.origin}']}}\n")
    project.manage(*migrate.split()[2:])
    worker = subprocess.Popen(
        [sys.executable, *work.split()[1:]], cwd=project.path, env=project.environment
    )
    try:
        local = re.sub(r"https://[^\"]+", server.url(), create.replace("\\\n", ""))
        printed = project.manage(*shlex.split(local)[2:])
    finally:
        worker.terminate()
        worker.wait()
    assert "success" in printed
    [image] = (project.path / "media" / "images").glob("*/*")
    assert image.stat().st_size == 2**16


def test_the_other_settings_are_understood(project: Project) -> None:
    [handler, *_] = blocks("python", page="docs/how-to/handlers.md")
    (project.path / "yourproject" / "handlers.py").write_text(handler)
    project.paste_readme("settings.py", "Settings")
    project.paste_readme("settings.py", "Your own kind of task")
    project.manage("check")
