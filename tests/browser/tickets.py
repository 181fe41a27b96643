from __future__ import annotations

from django_image_tasks import tickets
from django_image_tasks.models import Task


def let_it_run(task: Task) -> None:
    """As of a task that the front door has made."""
    task.wait_for_turn()
    tickets.submit(task)
