from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_image_tasks.models import Task
from tests.edges.commands import image_tasks

Make = Callable[..., Task]

NONE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def failed(make_task: Make) -> Task:
    task = make_task(name="Debian", owner="7")
    task.start("worker")
    task.fail("Source answered 404 Not Found")
    return task


def test_a_waiting_task_is_cancelled(make_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "django_image_tasks.management.terminal.operator_api.getuser", lambda: "ada"
    )
    task = make_task()
    assert image_tasks("cancel", task.pk) == (f"Cancelled task {task.pk}.\n", "", 0)
    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Cancelled by ada")


def test_a_user_without_a_name_is_the_operator(
    make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_name() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr("django_image_tasks.management.terminal.operator_api.getuser", no_name)
    task = make_task()
    image_tasks("cancel", task.pk)
    task.refresh_from_db()
    assert task.message == "Cancelled by operator"


def test_a_running_task_is_asked_to_stop(make_task: Make) -> None:
    task = make_task()
    task.start("worker")
    assert image_tasks("cancel", task.pk) == (f"Asked task {task.pk} to stop.\n", "", 0)
    task.refresh_from_db()
    assert task.status == "processing"
    assert task.cancel_requested_at


def test_a_finished_task_is_not_cancelled(failed: Task) -> None:
    assert image_tasks("cancel", failed.pk) == (
        "",
        f"Task {failed.pk} has already finished.",
        4,
    )


def test_a_failed_task_is_retried(failed: Task) -> None:
    ran = image_tasks("retry", failed.pk.hex)
    task = Task.objects.get(retry_of=failed.pk)
    assert ran == (f"Created task {task.pk}, which does the same as {failed.pk.hex}.\n", "", 0)
    assert (task.status, task.name, task.owner) == ("pending", "Debian", "7")


def test_only_a_failed_task_is_retried(make_task: Make) -> None:
    task = make_task()
    assert image_tasks("retry", task.pk) == ("", f"Task {task.pk} has not failed.", 4)
    assert Task.objects.count() == 1


def test_a_retired_type_is_not_retried(failed: Task, settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    ran = image_tasks("retry", failed.pk)
    assert ran == ("", "Tasks of type 'import' no longer run.", 4)


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_no_such_task(db: None, verb: str) -> None:
    assert image_tasks(verb, NONE) == ("", f"Could not find task {NONE}", 3)


def test_one_that_is_refused_does_not_keep_the_others(make_task: Make, failed: Task) -> None:
    first, last = make_task(), make_task()
    ran = image_tasks("cancel", first.pk, failed.pk, NONE, last.pk)
    assert ran.lines == [f"Cancelled task {first.pk}.", f"Cancelled task {last.pk}."]
    assert ran.err == (
        f"Task {failed.pk} has already finished.\nCould not find task {NONE}\n2 tasks were refused."
    )
    assert ran.code == 4
    assert Task.objects.filter(message__startswith="Cancelled").count() == 2


def test_scripts_get_a_line_for_each_task(make_task: Make) -> None:
    tasks = [make_task(), make_task()]
    ran = image_tasks("cancel", "--json", *(task.pk for task in tasks))
    assert [answer["id"] for answer in ran.answers] == [str(task.pk) for task in tasks]
    assert {answer["status"] for answer in ran.answers} == {"failure"}


def test_sweeping_and_purging_for_scripts(db: None) -> None:
    assert image_tasks("sweep", "--json").answers == [
        {
            "recovered": 0,
            "due": 0,
            "tickets": 0,
            "announced": 0,
            "purged": 0,
            "discarded": 0,
            "scratch_removed": 0,
        }
    ]
    assert image_tasks("purge", "--json").answers == [{"purged": 0}]
