"""Runs a task where it was created, before the client has its answer. For tests."""

from __future__ import annotations

from uuid import UUID

from django_image_tasks import executor


def enqueue(task_id: str) -> None:
    executor.run(UUID(task_id))
