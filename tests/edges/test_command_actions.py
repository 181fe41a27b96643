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


def test_all_that_a_filter_finds_are_cancelled(make_task: Make) -> None:
    pending, running, other = make_task(owner="7"), make_task(owner="7"), make_task(owner="8")
    running.start("worker")

    assert image_tasks("cancel", "--owner", "7") == (
        "1 cancelled, 1 asked to stop, 0 left as they are.\n",
        "",
        0,
    )
    pending.refresh_from_db()
    other.refresh_from_db()
    assert pending.message.startswith("Cancelled by ")
    assert pending.message != "Cancelled by anonymous"
    assert other.status == "pending"


def test_all_that_a_filter_finds_are_retried_once(failed: Task) -> None:
    query = ["--status", "failure", "--created-at", "gt:2020-01-31"]

    assert image_tasks("retry", *query).out == "1 retried, 0 left as they are.\n"
    assert image_tasks("retry", *query, "--json").answers == [{"retried": 0, "skipped": 1}]
    assert image_tasks("retry", "--retried", *query, "--json").answers == [
        {"retried": 1, "skipped": 0}
    ]


def test_more_than_a_request_takes_are_touched(
    make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_image_tasks.pagination.ActionPagination.MOST", 2)
    for _ in range(3):
        make_task(name="a b")

    answers = image_tasks("cancel", "--name", "a b", "--json").answers

    assert [answer["cancelled"] for answer in answers] == [2, 1]
    assert not Task.objects.filter(status="pending").exists()


def test_all_tasks_are_not_meant_where_nothing_is_said(make_task: Make) -> None:
    make_task()

    assert image_tasks("cancel") == ("", "At least one filter is required.", 1)
    assert image_tasks("retry", "--retried") == ("", "At least one filter is required.", 1)
    assert Task.objects.get().status == "pending"


def test_ids_and_filters_are_not_mixed(make_task: Make) -> None:
    task = make_task()

    _, err, code = image_tasks("cancel", task.pk, "--owner", "7")

    assert (err, code) == ("Name tasks or filters, not both.", 1)
    assert Task.objects.get().status == "pending"
