from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from example_project.seed import seed
from tests.docs.readme import README, ROOT, blocks
from tests.requirements import needs, needs_program

SERVED = "http://127.0.0.1:8000"


@pytest.fixture
def served(live_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The demonstration, at an address of the test's own; clients find no clouds or caches."""
    seed()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")
    return str(live_server.url)


def test_it_opens_with_what_people_have_and_want() -> None:
    title, have, want, *_ = README.split("\n\n")
    assert title == "# django-image-tasks"
    assert have.startswith("**I have** ")
    assert want.startswith("**I want** ")


def test_it_leads_to_every_page_in_two_clicks() -> None:
    docs = ROOT / "docs"
    assert "](docs/index.md)" in README
    linked = set(re.findall(r"\]\(([^)#]+)", (docs / "index.md").read_text()))
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    assert pages - linked == {"index.md"}


def test_each_of_the_two_commands_is_one_line() -> None:
    demo, test = blocks("sh", "See it first")
    setup = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[{}]' && .venv/bin/{}\n"
    assert demo == setup.format("demo", "python manage.py demo")
    assert test == setup.format("test", "pytest")


@pytest.mark.parametrize("end", ["manage.py demo", "bin/pytest"])
def test_ci_runs_each_of_them_as_it_stands_there(end: str) -> None:
    assert len([line for line in README.splitlines() if line.endswith(end)]) == 1
    assert f"from_readme {end})" in (ROOT / ".ci" / "run").read_text()


def test_the_glance_command_lists_the_tasks(served: str) -> None:
    [line] = blocks("sh", "Clients")
    program, *arguments = shlex.split(line.replace(SERVED, served))
    done = subprocess.run(
        [needs_program(program), *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for status in ("pending", "processing", "success", "failure"):
        assert f"| {status}" in done.stdout


# It warns of what its own modules do.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:openstack")
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack")
def test_the_sdk_lists_the_failures(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    needs("openstack")
    [code] = blocks("python", "Clients")
    exec(code.replace(SERVED, served), {})
    assert [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "Source answered 404 Not Found"
    ]
