"""Django's Tasks framework, or its backport on Django 5.2. Worker: its backend's own."""

from __future__ import annotations

import django

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[no-redef]  # the backport


@task(queue_name=conf.QUEUE or "default")
def run_image_task(task_id: str) -> None:
    deliver(task_id)


def enqueue(task_id: str) -> None:
    run_image_task.enqueue(task_id)
