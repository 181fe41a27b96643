"""Django's Tasks framework; on Django 5.2, its backport. Worker: that of its backend."""

from __future__ import annotations

from datetime import timedelta

import django
from django.utils import timezone

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[no-redef]  # the backport


@task(queue_name=conf.QUEUE or "default")
def run_image_task(task_id: str) -> None:
    """Run the task whose turn it is, in a worker."""
    deliver(task_id)


def enqueue(task_id: str) -> None:
    """Put the id on the queue of the framework's default backend."""
    run_image_task.enqueue(task_id)


def enqueue_later(task_id: str, delay: timedelta) -> None:
    """Put the id on the queue for later, if the backend can keep it so long."""
    if run_image_task.get_backend().supports_defer:
        run_image_task.using(run_after=timezone.now() + delay).enqueue(task_id)
