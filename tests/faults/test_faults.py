"""Some of the faults on a small scale. All of them: ``python -m tests.faults``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.faults import FAULTS, attempt

SEED = int(os.environ.get("IMAGE_TASKS_SEED", "1"))


@pytest.mark.parametrize(
    ("fault", "engine", "scale"),
    [
        ("clocks_apart", "django_tasks", {}),
        ("without_guard", "django_tasks", {}),
        ("deployed", "celery_rabbitmq", {"times": 2}),
        ("killed", "rq", {"imports": 10}),
        ("killed_late", "django_tasks", {"mebibytes": 64}),
        ("database_away", "procrastinate", {"seconds": 10}),
    ],
)
def test_nothing_is_lost(fault: str, engine: str, scale: dict[str, int], tmp_path: Path) -> None:
    tried = attempt(fault, engine, FAULTS[fault].databases[0], tmp_path, SEED, **scale)

    assert tried.lost == [], f"seed {SEED}: {tried}"
    assert tried.times > 0
    assert tried.tasks > 0
