"""The sweep for Celery: at the start of a worker, and as a task for the schedule of beat."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_ready
from django.db import connections

from django_image_tasks.sweep import sweep


@shared_task(name="image_tasks.sweep", ignore_result=True)
def sweep_image_tasks() -> None:
    """Sweep once. Put it on beat's schedule."""
    sweep()


@worker_ready.connect
def sweep_at_start(**kwargs: object) -> None:
    """Sweep once when a worker has started."""
    try:
        sweep()
    finally:
        connections.close_all()  # the processes that this one forks would share them
