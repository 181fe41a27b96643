"""The sweep for Celery: at a worker's start, and as a task for beat's schedule."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import connections

from django_image_tasks.sweep import sweep


@shared_task(name="image_tasks.sweep", ignore_result=True)
def sweep_image_tasks() -> None:
    sweep()


@worker_ready.connect
def sweep_at_start(**kwargs: Any) -> None:
    try:
        sweep()
    finally:
        connections.close_all()  # this process forks the ones that work
