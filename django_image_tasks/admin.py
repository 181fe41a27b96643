from __future__ import annotations

from django.contrib import admin

from django_image_tasks.models import Task

admin.site.register(Task)
