"""When to ask again for a task (docs/reference/http.md, "Waiting for the end")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from django_image_tasks.models import Task


@pytest.mark.parametrize("status", ["pending", "processing"])
@pytest.mark.parametrize(
    ("age", "seconds"), [(-60, 1), (0, 1), (7, 1), (8, 2), (100, 25), (240, 60), (10**6, 60)]
)
def test_a_quarter_of_the_age_from_1_to_60(
    api: APIClient, make_task: Callable[..., Task], status: str, age: int, seconds: int
) -> None:
    created_at = timezone.now() - timedelta(seconds=age)
    task = make_task(status=status, created_at=created_at)

    assert api.get(f"/v2/tasks/{task.pk}")["Retry-After"] == str(seconds)


def test_every_answer_that_is_a_task_says_so(
    api: APIClient, create: Callable[..., Any], make_task: Callable[..., Task]
) -> None:
    running = f"/v2/tasks/{make_task(status='processing').pk}"
    failed = f"/v2/tasks/{make_task(status='failure').pk}"

    for response in [
        create(),
        api.head(running),
        api.post(f"{running}/actions/cancel"),
        api.post(f"{failed}/actions/retry"),
    ]:
        assert response["Retry-After"] == "1"


def test_what_has_ended_and_what_is_no_task_does_not(
    api: APIClient, create: Callable[..., Any], make_task: Callable[..., Task], settings: Any
) -> None:
    ended, pending = make_task(status="success"), make_task()
    for response in [
        api.get(f"/v2/tasks/{ended.pk}"),
        api.post(f"/v2/tasks/{pending.pk}/actions/cancel"),
        api.get("/v2/tasks"),
        api.options(f"/v2/tasks/{pending.pk}"),
    ]:
        assert "Retry-After" not in response

    settings.IMAGE_TASKS = {"MAX_INPUT_SIZE": 10}
    assert create().status_code == 413
    assert "Retry-After" not in create()
