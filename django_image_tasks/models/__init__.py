"""The tables: a task, its attempts, what these may have left in a storage, and the last sweep."""

from django_image_tasks.models.attempt import Attempt
from django_image_tasks.models.last_sweep import LastSweep as LastSweep
from django_image_tasks.models.leftover import Leftover as Leftover
from django_image_tasks.models.task import Task
from django_image_tasks.models.task import queue_lease as queue_lease

__all__ = ["Attempt", "Task"]
