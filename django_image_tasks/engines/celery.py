"""Celery. Worker: ``celery -A yourproject worker``."""

from __future__ import annotations

from collections.abc import Iterator

from celery import current_app, shared_task
from django.core.checks import Warning as CheckWarning

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver

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
    """Run the task with this id, in a worker."""
    deliver(task_id)


def enqueue(task_id: str) -> None:
    """Put the id on the queue, or give up within seconds."""
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
        )


def check() -> Iterator[CheckWarning]:
    """Warn where the project's app was not imported: Celery then makes one, named default."""
    if current_app.main == "default":
        yield CheckWarning(
            "The project's Celery app was not imported: tasks go to a broker on localhost.",
            hint="Import it in your project's __init__.py: from .celery import app",
            id="image_tasks.W009",
        )
