"""A router that sends every read to a replica, which is so late that it shows no task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_image_tasks.lookout import _states_of
from django_image_tasks.models import Task


class OnlyTheWriterOfTasks:
    def db_for_read(self, model: type, **hints: Any) -> str | None:
        if model is Task:
            raise AssertionError("A task was read from the replica")
        return None


@pytest.fixture
def created(create: Callable[..., Any], settings: Any) -> str:
    settings.DATABASE_ROUTERS = [f"{__name__}.OnlyTheWriterOfTasks"]
    answer = create()
    assert answer.status_code == 201
    return str(answer.data["id"])


def test_a_task_is_there_right_behind_its_post(api: APIClient, created: str) -> None:
    assert api.get(f"/v2/tasks/{created}").data["status"] == "pending"


def test_it_can_be_cancelled_and_retried(api: APIClient, created: str) -> None:
    assert api.post(f"/v2/tasks/{created}/actions/cancel").status_code == 202
    assert api.post(f"/v2/tasks/{created}/actions/retry").status_code == 201


def test_who_waits_is_told_of_the_present(created: str) -> None:
    task = Task.objects.using("default").get(pk=created)
    assert _states_of([task.pk]) == {task.pk: [task.status, task.updated_at]}
