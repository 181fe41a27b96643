from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from django_image_tasks.exceptions import InvalidInput, InvalidTransition
from django_image_tasks.models import Task
from django_image_tasks.services import can_retry, cancel_task, create_task, retry_task
from tests.engine import workload

MISMATCH = "Provided object does not match schema 'task'"


def only_of_ada(task: Task) -> None:
    """A host's own rule."""
    if task.owner != "ada":
        raise InvalidInput(f"Nobody but ada may have a task '{task.name}'.")


def test_a_task_is_pending_and_knows_who_asked(db: None) -> None:
    task = create_task(
        "workload", {"a": 1}, owner="7", name="night", user_id="3", request_id="req-1"
    )
    task.refresh_from_db()
    assert (task.status, task.type, task.input) == ("pending", "workload", {"a": 1})
    assert (task.owner, task.name, task.user_id, task.request_id) == ("7", "night", "3", "req-1")


def test_a_task_is_called_like_its_image_unless_it_has_a_name(db: None) -> None:
    image = {"image_properties": {"name": "cirros"}, "image_id": "0" * 32}
    unnamed = create_task("workload", image, owner="7")
    assert unnamed.name == "cirros"
    assert unnamed.image_id == "00000000-0000-0000-0000-000000000000"
    assert create_task("workload", image, owner="7", name="").name == ""


def test_it_runs_when_the_callers_transaction_commits(
    db: None, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        task = create_task("workload", {}, owner="7")
        assert Task.objects.get(pk=task.pk).status == "pending"
    assert Task.objects.get(pk=task.pk).status == "success"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_queued_of_a_transaction_that_is_rolled_back() -> None:
    with transaction.atomic():
        create_task("workload", {}, owner="7")
        transaction.set_rollback(True)
    assert workload.runs == []
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("type", "input", "labels", "message"),
    [
        (
            "other",
            {},
            {},
            f"{MISMATCH}: type: 'other' is not one of ['workload', 'callback', 'unstorable']",
        ),
        ("workload", [], {}, f"{MISMATCH}: input: [] is not of type 'object'"),
        ("workload", {"a": "\0"}, {}, f"{MISMATCH}: body: a string has a NUL in it"),
        (
            "workload",
            {},
            {"name": "x" * 256},
            f"{MISMATCH}: name: '{'x' * 256}' is too long (expected maxLength 255)",
        ),
        ("workload", {}, {"owner": ""}, "owner: a task cannot be without one."),
        ("workload", {}, {"owner": 7}, "owner: it must be a string of at most 255 characters."),
        ("workload", {}, {"owner": "a\0"}, "owner: a string has a NUL in it"),
        (
            "workload",
            {},
            {"request_id": "r" * 69},
            "request_id: it must be a string of at most 68 characters.",
        ),
    ],
)
def test_what_is_not_valid_is_refused_in_words_and_not_kept(
    db: None, type: str, input: Any, labels: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        create_task(type, input, **{"owner": "7", **labels})
    assert str(error.value) == message
    assert not Task.objects.exists()


def test_a_host_has_the_last_word(db: None, image_tasks: dict[str, Any]) -> None:
    image_tasks["TASK_VALIDATOR"] = f"{__name__}.only_of_ada"
    assert create_task("workload", {}, owner="ada").pk
    with pytest.raises(InvalidInput, match="Nobody but ada may have a task 'night'"):
        create_task("workload", {}, owner="eve", name="night")
    assert Task.objects.get().owner == "ada"


def test_cancelling_ends_a_waiting_task(db: None) -> None:
    task = cancel_task(create_task("workload", {}, owner="7"), "mia")
    assert (task.status, task.message) == ("failure", "Cancelled by mia")
    with pytest.raises(InvalidTransition, match="has already finished"):
        cancel_task(task, "mia")


def test_a_name_that_no_column_holds_cancels_all_the_same(db: None) -> None:
    task = cancel_task(create_task("workload", {}, owner="7"), "m\0" + "i" * 300)
    assert task.message == "Cancelled by m" + "i" * 254


def test_a_retry_is_a_new_task_that_does_the_same(db: None) -> None:
    image = {"image_id": "00000000-0000-0000-0000-000000000001"}
    failed = create_task("workload", image, owner="7", name="night", user_id="3")
    assert failed.image_id == image["image_id"]
    with pytest.raises(InvalidTransition, match="has not failed"):
        retry_task(failed)
    cancel_task(failed, "mia")
    retry = retry_task(failed, user_id="4", request_id="req-2")
    same = ("type", "name", "input", "owner", "image_id")
    assert [getattr(retry, each) for each in same] == [getattr(failed, each) for each in same]
    assert (retry.status, retry.retry_of, retry.user_id) == ("pending", failed.pk, "4")


def test_a_retry_is_not_made_of_a_retired_type_nor_against_a_hosts_rule(
    db: None, image_tasks: dict[str, Any]
) -> None:
    failed = cancel_task(create_task("workload", {}, owner="7"), "mia")
    image_tasks["TASK_VALIDATOR"] = f"{__name__}.only_of_ada"
    with pytest.raises(InvalidInput, match="Nobody but ada"):
        retry_task(failed)
    image_tasks["HANDLERS"] = {"workload": None}
    assert not can_retry("failure", "workload")
    with pytest.raises(InvalidTransition, match="Tasks of type 'workload' no longer run"):
        retry_task(failed)
    assert Task.objects.count() == 1
