from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from django_image_tasks.conf import Settings
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED

# A test's rows and users are made once for all its examples.
hypothesis_settings.register_profile(
    "project", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("project")

if os.environ.get("KEEP_SQL") == "no":  # the whole suite without kept SQL
    Settings.KEEP_SQL = property(lambda self: self._boolean("KEEP_SQL", False))  # type: ignore

SOURCE = {"import_from": "https://example.com/a.qcow2"}


@pytest.fixture
def task_defaults() -> dict[str, Any]:
    """What a task is that a test says nothing else of; a room's conftest may say otherwise."""
    return {"type": "import", "owner": "1"}


@pytest.fixture
def make_task(db: None, task_defaults: dict[str, Any]) -> Callable[..., Task]:
    """Write the row of a task, with any values at all and without the front door's checks."""

    def make(type: str | None = None, **values: Any) -> Task:
        values = {**task_defaults, **({} if type is None else {"type": type}), **values}
        if values.get("status") in FINISHED:
            now = timezone.now()
            values = {"finished_at": now, "expires_at": now + timedelta(hours=48), **values}
        return Task.objects.create(**values)

    return make
