"""Celery. Worker: ``celery -A yourproject worker``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from mmap import mmap

from celery import current_app, shared_task
from celery.signals import worker_init, worker_shutting_down
from django.core.checks import Warning as CheckWarning

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver

# One byte, shared with the children that a worker forks. A lock could be held by a killed one.
_stopping: mmap | None = None

GIVE_UP = {
    "max_retries": 2,  # without a pause between them: the broker's other addresses, if it has any
    "interval_start": 0,
    "interval_step": 0,
    "socket_connect_timeout": 1,  # Redis
    "socket_timeout": 1,
    "confirm_publish": True,  # RabbitMQ; short of memory, it accepts nothing and says nothing
    "read_timeout": 1,
    "write_timeout": 1,
}
"""Transport options with which a silent broker is given up after seconds."""


@shared_task(name="image_tasks.run", acks_late=True, reject_on_worker_lost=True, ignore_result=True)
def run_image_task(task_id: str) -> None:
    """Run the task whose turn it is, in a worker, which may be told to stop meanwhile."""
    deliver(task_id, lambda: bool(_stopping and _stopping[0]))


def enqueue(task_id: str) -> None:
    """Put the id on the queue, or give up within seconds."""
    _enqueue(task_id)


def enqueue_later(task_id: str, delay: timedelta) -> None:
    """Put the id on the queue for later, or give up within seconds."""
    _enqueue(task_id, countdown=delay.total_seconds())


def _enqueue(task_id: str, **options: float) -> None:
    # These limits replace the project's. The task's own deadline comes first: it leaves a message.
    seconds = conf.TASK_TIMEOUT.total_seconds() + 60
    # A connection of Celery's pool looks for a broker for six seconds, in spite of retry=False.
    with current_app.connection_for_write(connect_timeout=1, transport_options=GIVE_UP) as broker:
        run_image_task.apply_async(
            (task_id,),
            connection=broker,
            queue=conf.QUEUE,
            retry=False,
            confirm_timeout=1,
            soft_time_limit=seconds,
            time_limit=seconds,
            **options,
        )


@worker_init.connect
def share_a_byte(**kwargs: object) -> None:
    """Make, before the worker forks, the memory by which its children learn that it must stop."""
    global _stopping
    _stopping = mmap(-1, 1)


@worker_shutting_down.connect
def tell_children(**kwargs: object) -> None:
    """Tell the tasks that run in the worker's children that it must stop."""
    if _stopping:
        _stopping[0] = 1


def check() -> Iterator[CheckWarning]:
    """Warn where the project's app was not imported: Celery then makes one, named default."""
    if current_app.main == "default":
        yield CheckWarning(
            "The project's Celery app was not imported: tasks go to a broker on localhost.",
            hint="Import it in your project's __init__.py: from .celery import app",
            id="image_tasks.W009",
        )
