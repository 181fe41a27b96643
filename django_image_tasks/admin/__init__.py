"""Tasks in Django's admin: what an operator sees of them and may do with them."""

from __future__ import annotations

from django.contrib import admin

from django_image_tasks.admin.task_admin import TaskAdmin
from django_image_tasks.models import Task

__all__ = ["TaskAdmin"]

admin.site.register(Task, TaskAdmin)
