from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
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
        "MEDIA_ROOT": str(tmp_path / "media"),
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
    process.terminate()
    process.communicate(timeout=20)


def until(process: subprocess.Popen[str], text: str) -> str:
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if text in line:
            break
    return "".join(lines)


def printed_lines(process: subprocess.Popen[str]) -> list[str]:
    needs_program("curl")
    return re.findall(r"curl .*", until(process, "Quit the server"))


def run(line: str, suffix: str = "") -> Any:
    done = subprocess.run(shlex.split(line + suffix), capture_output=True, timeout=60)
    return json.loads(done.stdout)


def test_the_first_line_lists_tasks_in_all_four_states(demo: subprocess.Popen[str]) -> None:
    listing, _ = printed_lines(demo)
    assert sorted(task["status"] for task in run(listing)["tasks"]) == STATES


def test_the_second_line_imports_an_image_while_the_first_shows_its_progress(
    demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    listing, importing = printed_lines(demo)
    created = run(importing)
    seen = [created]
    give_up = time.monotonic() + 60
    while seen[-1]["status"] in ("pending", "processing") and time.monotonic() < give_up:
        time.sleep(0.2)
        seen.append(run(listing, f"/{created['id']}"))
    assert seen[-1]["status"] == "success", seen[-1]
    assert any(0 < task["progress"] < 100 for task in seen)
    assert seen[-1]["result"]["disk_format"] == "qcow2"
    stored = tmp_path / "media" / seen[-1]["result"]["location"]
    assert stored.stat().st_size == seen[-1]["result"]["size"]


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
