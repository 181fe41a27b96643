"""The rule of our own API who sees which tasks, because the peers must show the same."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet


def visible_to(user: Any, among: TaskQuerySet | None = None) -> TaskQuerySet:
    tasks = Task.objects.all() if among is None else among
    anonymous = settings.IMAGE_TASKS["ANONYMOUS_OWNER"]
    owner = str(user.pk) if user.is_authenticated else anonymous
    return tasks.unexpired(timezone.now()).visible_to(owner, every_owner=user.is_superuser)
