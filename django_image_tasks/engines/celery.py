"""Celery. Worker: ``celery -A yourproject worker``."""

from __future__ import annotations

from celery import shared_task

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver


@shared_task(
    name="image_tasks.run", acks_late=True, reject_on_worker_lost=True, ignore_result=True
)
def run_image_task(task_id: str) -> None:
    deliver(task_id)


def enqueue(task_id: str) -> None:
    run_image_task.apply_async((task_id,), queue=conf.QUEUE, retry=False)
