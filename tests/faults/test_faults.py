"""Some of the faults on a small scale. All of them: ``python -m tests.faults``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.faults import FAULTS, Tried, attempt

SEED = int(os.environ.get("IMAGE_TASKS_SEED", "1"))
SMALL = [
    ("broker_away", "celery_rabbitmq", {"seconds": 5}),
    ("database_away", "procrastinate", {"seconds": 7}),
    ("database_stopped", "procrastinate", {"times": 1}),
    ("crowd", "django_tasks", {"seconds": 30, "warm": 20}),
    ("sources_misbehave", "django_tasks", {"for_ever": False}),
    ("replica_lags", "rq", {"times": 2}),
    ("pooled", "celery_redis", {"times": 1}),
    ("killed_often", "rq", {"times": 4}),
    ("storage_fails", "celery_redis", {}),
    ("deployed_once", "celery_rabbitmq", {"times": 2}),
    ("disk_full", "django_tasks", {}),
    ("killed_late", "procrastinate", {"mebibytes": 64}),
    ("without_guard", "django_tasks", {}),
]
"""The longest first. The others are left to the command; each engine is killed in tests/engines."""


@pytest.fixture(scope="module")
def attempts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Tried]]]:
    """The faults of the chosen tests, five at a time: they wait more than they work."""
    chosen = {item.name for item in request.session.items}
    with ThreadPoolExecutor(5) as pool:
        yield {
            fault: pool.submit(small, fault, engine, tmp_path_factory.mktemp(fault), scale)
            for fault, engine, scale in SMALL
            if f"test_nothing_is_lost[{fault}]" in chosen
        }


def small(fault: str, engine: str, directory: Path, scale: dict[str, int]) -> Tried:
    return attempt(fault, engine, FAULTS[fault].databases[0], directory, SEED, **scale)


def assert_nothing_is_lost(tried: Tried) -> None:
    assert tried.lost == [], f"seed {SEED}: {tried}"
    assert tried.times > 0
    assert tried.tasks > 0


def test_clocks_may_differ(tmp_path: Path) -> None:
    """Alone: whatever is started meanwhile sees another time."""
    assert_nothing_is_lost(small("clocks_apart", "django_tasks", tmp_path, {}))


@pytest.mark.parametrize("fault", [fault for fault, _, _ in SMALL])
def test_nothing_is_lost(fault: str, attempts: dict[str, Future[Tried]]) -> None:
    assert_nothing_is_lost(attempts[fault].result())
