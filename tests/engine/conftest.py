from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_image_tasks.models import Task
from tests.engine import workload


@pytest.fixture(autouse=True)
def image_tasks(settings: Any, tmp_path: Any) -> dict[str, Any]:
    """The settings of these tests, for a test to add to."""
    workload.runs.clear()
    workload.discarded.clear()
    settings.IMAGE_TASKS = {
        "ENGINE": "django_image_tasks.engines.immediate",
        "SCRATCH_DIR": tmp_path / "scratch",
        "HANDLERS": {
            "workload": "tests.engine.workload.Workload",
            "callback": "tests.engine.workload.Callback",
            "unstorable": "tests.engine.workload.Unstorable",
            "retired": None,
        },
    }
    return settings.IMAGE_TASKS


@pytest.fixture
def make_task(db: None) -> Callable[..., Task]:
    def make(type: str = "workload", **values: Any) -> Task:
        return Task.objects.create(**{"type": type, "owner": "1", "input": {}, **values})

    return make
