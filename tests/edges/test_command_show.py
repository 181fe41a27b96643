from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from django_image_tasks.models import Task
from django_image_tasks.serializers import TaskSerializer
from tests.edges.commands import image_tasks

Make = Callable[..., Task]


@pytest.fixture
def failed(make_task: Make) -> Task:
    task = make_task(name="Debian 13", input={"import_from": "https://example.org/käse"})
    task.start("worker 1")
    task.schedule_next_attempt("Connection refused", timedelta())
    task.start("worker 2")
    task.fail("Source answered 404 Not Found")
    return task


def test_a_task_is_shown_with_its_attempts(failed: Task) -> None:
    page = image_tasks("show", failed.pk).out
    for text in (
        f"id          {failed.pk}\n",
        "status      failure\n",
        "name        Debian 13\n",
        "message     Source answered 404 Not Found\n",
        'input\n  {\n    "import_from": "https://example.org/käse"\n  }\n',
    ):
        assert text in page
    attempts = page.partition("attempts\nNUMBER")[2].splitlines()[1:3]
    assert [line.split("  ")[0::1][0] for line in attempts] == ["1", "2"]
    for line, worker, outcome, message in zip(
        attempts,
        ("worker 1", "worker 2"),
        ("retry", "failure"),
        ("Connection refused", "Source answered 404 Not Found"),
        strict=True,
    ):
        assert worker in line
        assert outcome in line
        assert line.endswith(message)


def test_what_is_not_set_is_not_shown(make_task: Make) -> None:
    page = image_tasks("show", make_task().pk).out
    for text in ("message", "result", "expires at", "image id", "NUMBER"):
        assert text not in page


def test_either_spelling_of_an_id(failed: Task) -> None:
    shown = [image_tasks("show", pk).out for pk in (failed.pk, failed.pk.hex.upper())]
    assert shown[0] == shown[1] != ""


def test_the_beginning_of_an_id_will_do(failed: Task, make_task: Make) -> None:
    shown = image_tasks("show", failed.pk)
    assert image_tasks("show", str(failed.pk)[:8]) == shown
    assert image_tasks("show", str(failed.pk)[:13].upper()) == shown
    other = make_task(pk=f"{str(failed.pk)[:8]}-0000-4000-8000-000000000000")
    pk = str(failed.pk)[:8]
    assert image_tasks("show", pk) == ("", f"The ids of several tasks begin with {pk}.", 1)
    assert image_tasks("show", str(other.pk)[:13]).code == 0
    assert image_tasks("show", str(failed.pk)[:3]).code == 3


@pytest.mark.parametrize("command", ["cancel", "watch"])
def test_it_will_do_wherever_an_id_does(make_task: Make, command: str) -> None:
    task = make_task()
    args = ["--timeout=0"] if command == "watch" else []
    assert str(task.pk) in image_tasks(command, str(task.pk)[:8], *args).out


def test_scripts_get_what_the_api_shows(failed: Task) -> None:
    [answer] = image_tasks("show", failed.pk, "--json").answers
    assert list(answer.items()) == list(TaskSerializer(failed).data.items())


@pytest.mark.parametrize("pk", ["7", "", "\0", "é", "00000000-0000-4000-8000-000000000000"])
def test_no_such_task(db: None, pk: str) -> None:
    assert image_tasks("show", pk) == ("", f"Could not find task {pk}", 3)


def test_no_terminal_obeys_what_is_shown(make_task: Make) -> None:
    task = make_task(input={"import_from": "\x9b31m\x7f"})
    task.start("worker")
    task.fail("\x1b]0;title\x07")
    page = image_tasks("show", task.pk).out
    assert "\x1b" not in page
    assert "\x9b" not in page
    assert "�]0;title�" in page
