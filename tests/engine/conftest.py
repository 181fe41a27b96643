from __future__ import annotations

from typing import Any

import pytest

from tests.engine import workload


@pytest.fixture(autouse=True)
def image_tasks(settings: Any, tmp_path: Any) -> dict[str, Any]:
    """The settings of these tests, for a test to add to."""
    workload.runs.clear()
    workload.discarded.clear()
    workload.published.clear()
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
def task_defaults() -> dict[str, Any]:
    return {"type": "workload", "owner": "1"}
