from __future__ import annotations

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from django_image_tasks.models import Task
from tests.edges.commands import image_tasks

SOURCE = {"import_from": "https://example.com/a.qcow2"}
INPUT = json.dumps(SOURCE)


def refused(*args: str) -> str:
    ran = image_tasks("create", *args)
    assert (ran.out, ran.code) == ("", 1)
    assert not Task.objects.exists()
    return ran.err


def test_a_task_is_created(db: None) -> None:
    ran = image_tasks("create", "import", "--owner", "7", "--name", "Debian", "--input", INPUT)
    task = Task.objects.get()
    assert ran == (f"Created task {task.pk}.\n", "", 0)
    assert (task.status, task.owner, task.name, task.input) == ("pending", "7", "Debian", SOURCE)
    assert task.user_id == ""
    assert task.request_id.startswith("req-")


def test_scripts_get_what_the_api_answers(db: None) -> None:
    [answer] = image_tasks("create", "import", "--owner=7", "--input", INPUT, "--json").answers
    assert answer["id"] == str(Task.objects.get().pk)
    assert (answer["status"], answer["input"]) == ("pending", SOURCE)


def test_the_input_comes_from_a_file(db: None, tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    path.write_text(INPUT)
    assert image_tasks("create", "import", "--owner=7", f"--input=@{path}").code == 0
    assert Task.objects.get().input == SOURCE


def test_the_input_comes_through_a_pipe(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(INPUT.encode())))
    assert image_tasks("create", "import", "--owner=7", "--input=-").code == 0
    assert Task.objects.get().input == SOURCE


def test_it_runs(
    db: None,
    settings: Any,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    tmp_path: Path,
) -> None:
    settings.IMAGE_TASKS = {
        "ENGINE": "django_image_tasks.engines.immediate",
        "SCRATCH_DIR": tmp_path,
        "HANDLERS": {"workload": "tests.engine.workload.Workload"},
    }
    with django_capture_on_commit_callbacks(execute=True):
        image_tasks("create", "workload", "--owner=7", "--input={}")
    assert Task.objects.get().status == "success"


@pytest.mark.parametrize(
    ("input", "reason"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "it is nested too deeply"),
        ("@/none/such", "/none/such: No such file or directory"),
        ("@/", "/: Is a directory"),
    ],
)
def test_what_is_no_json(db: None, input: str, reason: str) -> None:
    told = refused("import", "--owner=7", "--input", input)
    assert told == f"The input cannot be read as JSON: {reason}"


@pytest.mark.parametrize("content", [b'"\xff"', b"1" * 5000])
def test_a_file_of_something_else(db: None, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "input"
    path.write_bytes(content)
    told = refused("import", "--owner=7", f"--input=@{path}")
    assert told.startswith("The input cannot be read as JSON: ")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["import", "--input={}"], "input: 'import_from' is a required property"),
        (["import", "--input=7"], "input: 7 is not of type 'object'"),
        (["export", "--input={}"], "type: 'export' is not one of ['import']"),
        (
            ["import", "--name", "\udcff", "--input={}"],
            "body: a string has half of a surrogate pair in it",
        ),
        (["import", '--input={"a": NaN}'], "body: nan is not a number of JSON"),
        (["import", f"--input={'[' * 200}{']' * 200}"], "body: nested more than 100 levels deep"),
    ],
)
def test_what_the_api_refuses(db: None, args: list[str], message: str) -> None:
    told = refused(*args, "--owner=7")
    assert told == f"Provided object does not match schema 'task': {message}"


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ("", "owner: a task cannot be without one."),
        ("a\0", "owner: a string has a NUL in it"),
        ("x" * 256, "owner: it must be a string of at most 255 characters."),
    ],
)
def test_what_is_no_owner(db: None, owner: str, message: str) -> None:
    assert refused("import", f"--owner={owner}", "--input", INPUT) == message


def test_a_task_needs_an_owner(db: None) -> None:
    told = refused("import", "--input", INPUT)
    assert told == "Error: the following arguments are required: --owner"
