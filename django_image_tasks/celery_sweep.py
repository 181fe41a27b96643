"""The sweep for Celery: a process beside each worker, and a task for whoever prefers beat."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown

from django_image_tasks.sweep import sweep
from django_image_tasks.sweep_process import sweeping

SECONDS = 10.0
"""Seconds between two sweeps beside a worker. Of many workers' sweeps, one does the work."""

_beside_worker = ExitStack()


# The limits replace the project's, which may be shorter than a sweep.
@shared_task(name="image_tasks.sweep", ignore_result=True, soft_time_limit=300, time_limit=330)
def sweep_image_tasks() -> None:
    """Sweep once, unless another sweep has just begun."""
    sweep(unless_within=timedelta(seconds=1))


@worker_ready.connect
def start_sweeping(**kwargs: object) -> None:
    """Sweep beside the worker, as a task would wait while all its slots are taken."""
    _beside_worker.enter_context(sweeping(SECONDS))


@worker_shutdown.connect
def stop_sweeping(**kwargs: object) -> None:
    """Sweep no longer than the worker runs."""
    _beside_worker.close()
