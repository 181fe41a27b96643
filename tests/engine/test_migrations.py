"""A database with rows in it migrates forward."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from django_image_tasks import claims
from django_image_tasks.models import Task

APP = "django_image_tasks"


def migrate(name: str) -> Any:
    """Migrate to this point, back or forth; returns the apps as they are there."""
    migrations = MigrationExecutor(connection)
    migrations.migrate([(APP, name)])
    return migrations.loader.project_state([(APP, name)]).apps


@pytest.fixture
def newest(transactional_db: None) -> Iterator[str]:
    [newest] = [name for app, name in MigrationExecutor(connection).loader.graph.leaf_nodes(APP)]
    yield newest
    migrate(newest)


def test_tasks_that_waited_or_ran_before_there_were_turns_go_on(newest: str) -> None:
    old = migrate("0003_bounds").get_model(APP, "Task")
    now = timezone.now()
    common = {"type": "workload", "owner": "1", "input": {}}
    second, first = [
        old.objects.create(created_at=now - timedelta(hours=hours), enqueued_at=now, **common).pk
        for hours in (1, 2)
    ]
    later = now + timedelta(hours=1)
    due_later = {"attempts": 2, "available_at": later, "lease_expires_at": later}
    waits = old.objects.create(**due_later, **common).pk
    runs = {"status": "processing", "lease_owner": "w", "lease_expires_at": later, "attempts": 2}
    running = old.objects.create(**runs, **common).pk
    ended = {"status": "success", "finished_at": now, "expires_at": later}
    done = old.objects.create(**ended, **common).pk

    migrate(newest)

    lease = timedelta(seconds=30)
    claimed = [claims.claim_next(lease) for _ in range(3)]
    assert [task and task.pk for task in claimed] == [first, second, None]
    failed = dict(Task.objects.values_list("pk", "failed_attempts"))
    assert (failed[waits], failed[running], failed[done]) == (2, 1, 0)
    task = Task.objects.get(pk=running)
    task.succeed({})
    assert task.status == "success"
