"""Procrastinate on PostgreSQL. Worker: ``manage.py procrastinate worker``."""

from __future__ import annotations

from procrastinate.contrib.django import app

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver


@app.task(name="image_tasks.run")
def run_image_task(task_id: str) -> None:
    deliver(task_id)


def enqueue(task_id: str) -> None:
    run_image_task.configure(queue=conf.QUEUE).defer(task_id=task_id)
