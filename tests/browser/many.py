"""More tasks than a page shows: failures, newest first, and one success before them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from django_image_tasks.models import Task

FAILURES = 60


def create_many(owner: str) -> None:
    now = timezone.now()
    shared: dict[str, Any] = {"type": "import", "owner": owner, "finished_at": now}
    failed = [
        Task(
            name=name,
            created_at=now - timedelta(minutes=age),
            status="failure",
            message=f"Fault {age}",
            **shared,
        )
        for age, name in enumerate(failures(*range(FAILURES)))
    ]
    Task.objects.bulk_create([*failed, Task(name="well", status="success", **shared)])


def failures(*ages: int) -> list[str]:
    """The names of those that failed so many minutes ago."""
    return [f"failed {age:02}" for age in ages]
