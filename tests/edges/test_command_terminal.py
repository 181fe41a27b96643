"""The command as a person and a script meet it: a demonstration runs beside."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.edges.terminal import ROOT, command, piped, terminal

COLOURS = re.compile(r"\x1b\[[0-9;]*3[0-7]")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("demo")
    unwanted = ("NO_COLOR", "FORCE_COLOR", "DJANGO_COLORS", "LINES")
    return {name: value for name, value in os.environ.items() if name not in unwanted} | {
        "COLUMNS": "100",
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "MEDIA_ROOT": str(directory / "media"),
        "PYTHONUNBUFFERED": "1",
        "TERM": "xterm-256color",
    }


@pytest.fixture(scope="module")
def source(environ: dict[str, str]) -> Iterator[str]:
    """The address of an image that takes eight seconds to import, while a worker runs."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", "0"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    printed = ""
    while "Quit the server" not in printed:
        line = process.stdout.readline()
        assert line, printed
        printed += line
    yield re.findall(r"http://[0-9.:]+", printed)[0] + "/demo.qcow2"
    process.terminate()
    process.communicate(timeout=20)


def test_an_import_is_watched(environ: dict[str, str], source: str) -> None:
    body = json.dumps({"import_from": source})
    created = piped(environ, "create", "import", "--owner=1", f"--input={body}", "--json")
    assert created.returncode == 0, created.stderr
    task = json.loads(created.stdout)
    with terminal(environ, "watch", task["id"], "--timeout=60") as screen:
        assert screen.end() == 0
    line = rf"{task['id'][:8]} +(\w+) +[━─]+ +(\d+) % +(?:\d:\d\d:\d\d)? *(.*?) *\n"
    states = re.findall(line, screen.text)
    assert [state for state, *_ in states][-1] == "success"
    running = [(int(percent), sizes) for state, percent, sizes in states if state == "processing"]
    assert any(
        0 < percent < 100 and re.fullmatch(r"[\d.]+ [KM]iB of 10.0 MiB +[\d.]+ [KM]iB/s", sizes)
        for percent, sizes in running
    ), running
    assert states[-1][1:] == ("100", "10.0 MiB")
    assert screen.drawn.endswith("\x1b[?7h\r\n")  # long lines wrap again


def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(
    environ: dict[str, str], source: str
) -> None:
    with terminal(environ, "watch", "--timeout=60") as screen:
        screen.until("processing")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
    assert "No longer watching. The tasks go on." in screen.text
    assert "Traceback" not in screen.text
    assert screen.drawn.count("\x1b[?7h") == screen.drawn.count("\x1b[?7l")
    assert "\x1b[?25l" not in screen.drawn  # the cursor was never hidden


def test_a_terminal_gets_colours(environ: dict[str, str], source: str) -> None:
    with terminal(environ, "list", "--name=Example, failure", "--owner=1") as screen:
        assert screen.end() == 0
    assert "\x1b[31;1mfailure" in screen.drawn
    assert re.search(r"failure +0 +import +1 +\d+ (s|min|h) +Example, failure", screen.text)


def test_a_narrow_terminal_has_room_for_the_whole_id(environ: dict[str, str], source: str) -> None:
    with terminal(environ | {"COLUMNS": "80"}, "list") as screen:
        assert screen.end() == 0
    lines = screen.text.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(re.match(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} ", line) for line in lines[1:])


@pytest.mark.parametrize(
    ("variables", "args"),
    [({"NO_COLOR": "1"}, []), ({}, ["--no-color"]), ({"DJANGO_COLORS": "nocolor"}, [])],
    ids=["NO_COLOR", "option", "DJANGO_COLORS"],
)
def test_none_for_who_wants_none(
    environ: dict[str, str], source: str, variables: dict[str, str], args: list[str]
) -> None:
    with terminal(environ | variables, "list", *args) as screen:
        assert screen.end() == 0
    assert "Example, failure" in screen.text
    assert not COLOURS.search(screen.drawn)


def test_a_failure_is_shown_in_a_terminal(environ: dict[str, str], source: str) -> None:
    listed = piped(environ, "list", "--status=failure", "--limit=1", "--json")
    [task] = json.loads(listed.stdout)["tasks"]
    with terminal(environ, "show", task["id"]) as screen:
        assert screen.end() == 0
    for text in (task["id"], "Source answered 404 Not Found", "demonstration", '"import_from"'):
        assert text in screen.text


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_can_do_nothing_gets_plain_lines(
    environ: dict[str, str], source: str, term: str
) -> None:
    with terminal(environ | {"TERM": term}, "list") as screen:
        assert screen.end() == 0
    assert screen.drawn.startswith("ID ")
    assert "\x1b" not in screen.drawn


def test_a_pipe_gets_plain_lines(environ: dict[str, str], source: str) -> None:
    ran = piped(environ, "list", "--limit=1")
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 2)
    assert "\x1b" not in ran.stdout
    assert ran.stderr.startswith(f"More:\n{sys.executable} manage.py image_tasks list --limit=1 ")


def test_the_last_line_gives_the_next_page_when_it_is_pasted(
    environ: dict[str, str], source: str
) -> None:
    first = piped(environ, "list", "--limit=1", "--sort", "name:asc", "--pythonpath=.")
    pasted = first.stderr.splitlines()[-1]
    shell = {"shell": True, "cwd": ROOT, "env": environ, "capture_output": True, "text": True}
    second = subprocess.run(pasted, timeout=60, **shell)  # type: ignore[call-overload]
    everything = piped(environ, "list", "--sort=name:asc")
    rows = [ran.stdout.splitlines()[1][:36] for ran in (first, second)]
    assert rows == [line[:36] for line in everything.stdout.splitlines()[1:3]]


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_an_error_has_no_colours_either(environ: dict[str, str], variables: dict[str, str]) -> None:
    with terminal(environ | variables, "show", "7", "--skip-checks") as screen:
        assert screen.end() == 3
    assert screen.drawn == "CommandError: Could not find task 7\r\n"


def test_colours_are_djangos_own_and_may_be_forced(environ: dict[str, str], source: str) -> None:
    wanted = environ | {"DJANGO_COLORS": "error=magenta", "NO_COLOR": "1"}
    ran = piped(wanted, "list", "--status=failure", "--limit=1", "--force-color")
    assert "\x1b[35mfailure" in ran.stdout


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ("show 7", 3, "CommandError: Could not find task 7\n"),
        ("list --status=x", 1, "CommandError: Invalid status value: x\n"),
        ("create import --owner=1 --input={", 1, "CommandError: The input cannot be read as JSON"),
        ("list --wat", 2, "usage: "),
        ("list --no-color --settings=example_project.settings", 0, ""),
    ],
)
def test_the_shell_gets_a_code_and_a_line(
    environ: dict[str, str], source: str, args: str, code: int, said: str
) -> None:
    ran = piped(environ, *shlex.split(args))
    assert ran.returncode == code
    assert ran.stderr.startswith(said)
    assert "Traceback" not in ran.stderr


def test_a_reader_that_goes_away_is_no_error(environ: dict[str, str], source: str) -> None:
    process = subprocess.Popen(
        command("list", "--json"),
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.close()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (141, b"")


def test_what_a_terminal_cannot_show_is_replaced(environ: dict[str, str], source: str) -> None:
    body = json.dumps({"import_from": source})
    args = ("create", "import", "--owner=ascii", "--name=käse", f"--input={body}")
    assert piped(environ, *args).returncode == 0
    ascii_only = environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = piped(ascii_only, "list", "--owner=ascii")
    assert (ran.returncode, ran.stdout.splitlines()[-1].endswith("k?se")) == (0, True)
