from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from rest_framework.authtoken.models import Token

from django_image_tasks.models import Task
from example_project.seed import seed
from tests.docs.readme import ROOT
from tests.requirements import needs_program

STATES = ["failure", "pending", "processing", "success"]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command as a newcomer starts it, on a free port and with a database of its own."""
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def until(process: subprocess.Popen[str], text: str) -> str:
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if text in line:
            break
    return "".join(lines)


def test_the_printed_line_lists_tasks_in_all_four_states(demo: subprocess.Popen[str]) -> None:
    needs_program("curl")
    printed = until(demo, "Quit the server")
    [line] = re.findall(r"curl .*", printed)
    done = subprocess.run(shlex.split(line), capture_output=True, timeout=60)
    assert sorted(task["status"] for task in json.loads(done.stdout)["tasks"]) == STATES


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_kill_end_it(demo: subprocess.Popen[str], number: int) -> None:
    until(demo, "Quit the server")
    demo.send_signal(number)
    assert demo.wait(timeout=10) == 0


def test_a_port_that_is_taken(settings: Any) -> None:
    settings.DEBUG = True
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CommandError) as error:
            call_command("demo", port=port)
    assert str(error.value) == (
        f"Port {port}: Address already in use. Choose another one with --port."
    )


def test_it_refuses_to_run_in_earnest(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="it needs DEBUG = True"):
        call_command("demo")


def test_seeding_twice_adds_nothing(db: None) -> None:
    tokens = seed()
    assert seed() == tokens == {"demo": "demo-token", "admin": "admin-token"}
    assert sorted(Task.objects.values_list("status", flat=True)) == sorted(2 * STATES)
    assert Token.objects.count() == 2


def test_the_admin_sees_more_than_the_user(db: None) -> None:
    seed()
    demo, admin = (authenticate(username=name, password=name) for name in ("demo", "admin"))
    assert [user and user.is_staff for user in (demo, admin)] == [False, True]
    assert [
        user and user.has_perm("django_image_tasks.view_all_tasks") for user in (demo, admin)
    ] == [False, True]
