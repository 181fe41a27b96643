"""The two verbs that are ours alone: cancel and retry.

See docs/reference/http.md, "Cancelling and retrying".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from django_image_tasks.models import Task


@pytest.fixture
def mia(db: None) -> Any:
    return User.objects.create_user("mia")


@pytest.fixture
def task(mia: Any, make_task: Callable[..., Task]) -> Any:
    return make_task(owner=str(mia.pk), name="label", input={"do": "fail"})


@pytest.fixture
def post(client: Client, mia: Any) -> Any:
    client.force_login(mia)

    def post(task: Task | str, action: str):
        pk = task.pk if isinstance(task, Task) else task
        return client.post(f"/v2/tasks/{pk}/actions/{action}", content_type="application/json")

    return post


def allow(user: User, *codenames: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def put_into(task: Task, state: str) -> None:
    if state != "pending":
        task.start("worker")
    if state == "success":
        task.succeed({})
    elif state == "failure":
        task.fail("reason")


def test_cancelling_a_pending_task_answers_with_the_failed_task(post: Any, task: Any) -> None:
    response = post(task, "cancel")

    assert response.status_code == 202
    body = response.json()
    assert (body["id"], body["status"], body["message"]) == (
        str(task.pk),
        "failure",
        "Cancelled by mia",
    )
    assert "expires_at" in body


def test_cancelling_a_running_task_leaves_the_end_to_its_worker(post: Any, task: Any) -> None:
    put_into(task, "processing")

    assert post(task, "cancel").json()["status"] == "processing"
    assert post(task, "cancel").status_code == 202

    current = Task.objects.get(pk=task.pk)
    current.carry_out_cancel()
    assert (current.status, current.message) == ("failure", "Cancelled by mia")


@pytest.mark.parametrize("state", ["success", "failure"])
def test_a_finished_task_cannot_be_cancelled(post: Any, task: Any, state: Any) -> None:
    put_into(task, state)

    response = post(task, "cancel")

    assert response.status_code == 409
    assert response.json() == {
        "conflictingRequest": {
            "code": 409,
            "title": "Conflict",
            "message": f"Task {task.pk} has already finished.",
        }
    }


def test_retrying_a_failed_task_answers_with_a_new_one(post: Any, task: Any, mia: Any) -> None:
    put_into(task, "failure")

    response = post(task, "retry")

    assert response.status_code == 201
    body = response.json()
    assert body["id"] != str(task.pk)
    assert response["Location"] == f"http://testserver{body['self']}"
    assert (body["type"], body["name"], body["input"]) == ("workload", "label", {"do": "fail"})
    assert (body["owner"], body["user_id"], body["status"]) == (task.owner, str(mia.pk), "pending")
    assert body["request_id"] == response["x-openstack-request-id"]
    assert Task.objects.get(pk=body["id"]).retry_of == task.pk


def test_a_retried_task_runs(post: Any, task: Any, django_capture_on_commit_callbacks: Any) -> None:
    put_into(task, "failure")

    with django_capture_on_commit_callbacks(execute=True):
        body = post(task, "retry").json()

    assert Task.objects.get(pk=body["id"]).message == "Source answered 404 Not Found"


@pytest.mark.parametrize("state", ["pending", "processing", "success"])
def test_only_a_failed_task_can_be_retried(post: Any, task: Any, state: Any) -> None:
    put_into(task, state)

    response = post(task, "retry")

    assert response.status_code == 409
    assert Task.objects.count() == 1


def test_a_task_of_a_retired_type_cannot_be_retried(
    post: Any, mia: Any, make_task: Callable[..., Task]
) -> None:
    task = make_task("retired", owner=str(mia.pk))
    put_into(task, "failure")

    response = post(task, "retry")

    assert response.status_code == 409
    message = response.json()["conflictingRequest"]["message"]
    assert message == "Tasks of type 'retired' no longer run."


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_somebody_elses_task_is_not_found(
    post: Any, make_task: Callable[..., Task], action: Any
) -> None:
    task = make_task(owner="p2")
    put_into(task, "failure")

    response = post(task, action)

    assert response.status_code == 404
    assert response.json()["itemNotFound"]["message"] == f"Could not find task {task.pk}"


@pytest.mark.parametrize("action", ["cancel", "retry"])
@pytest.mark.parametrize("pk", ["7", str(uuid.UUID(int=7))])
def test_an_unknown_task_is_not_found(post: Any, action: Any, pk: Any) -> None:
    assert post(pk, action).status_code == 404


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_an_expired_task_is_not_found(post: Any, task: Any, action: Any) -> None:
    put_into(task, "failure")
    Task.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert post(task, action).status_code == 404


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_seeing_every_task_is_not_enough_to_touch_one(
    post: Any, mia: Any, make_task: Callable[..., Task], action: Any
) -> None:
    allow(mia, "view_all_tasks")
    task = make_task(owner="p2")
    put_into(task, "failure")

    assert post(task, action).status_code == 403


def test_whoever_may_change_tasks_can_cancel_those_of_others(
    post: Any, mia: Any, make_task: Callable[..., Task]
) -> None:
    allow(mia, "view_all_tasks", "change_task")
    task = make_task(owner="p2")

    assert post(task, "cancel").status_code == 202


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_anonymous_clients_are_refused(client: Client, task: Any, action: Any) -> None:
    assert client.post(f"/v2/tasks/{task.pk}/actions/{action}").status_code == 401


@pytest.mark.parametrize("action", ["cancel", "retry"])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_an_action_is_a_post(client: Client, mia: Any, task: Any, action: Any, method: Any) -> None:
    client.force_login(mia)

    response = getattr(client, method)(f"/v2/tasks/{task.pk}/actions/{action}")

    assert response.status_code == 405
    assert response["Allow"] == "POST, OPTIONS"
