"""A check for django-health-check, from which alone it is imported."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, connections
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable, ServiceWarning

from django_image_tasks import health
from django_image_tasks.health import Level
from django_image_tasks.models import Task

__all__ = ["ImageTasks"]


@dataclass
class ImageTasks(HealthCheck):
    """Whether tasks run at all, as ``image_tasks status`` tells; with ``strict`` also how well.

    Who asks is not known, so that neither owners nor workers are named.
    """

    strict: bool = False

    def run(self) -> None:
        """Raise ServiceUnavailable where nothing runs, with ``strict`` ServiceWarning if degraded.

        It is called in a thread that Django knows nothing of, and gives its connection back.
        """
        try:
            with connections[Task.objects.all().db].temporary_connection():
                level = health.look().level
        except (DatabaseError, InterfaceError) as error:
            raise ServiceUnavailable("The database does not answer.") from error
        if level == Level.NOTHING_RUNS:
            raise ServiceUnavailable("Tasks are due, and no worker starts one.")
        if level == Level.DEGRADED and self.strict:
            raise ServiceWarning("Degraded: `manage.py image_tasks status` has the reasons.")
