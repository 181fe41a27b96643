from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern
from django.utils.module_loading import import_string

from django_image_tasks.admin.actions import ActionsMixin
from django_image_tasks.admin.add import AddMixin
from django_image_tasks.admin.detail import DetailMixin
from django_image_tasks.admin.lists import ListMixin
from django_image_tasks.admin.unavailable import answers_when_unavailable
from django_image_tasks.models import Task

__all__ = ["TaskAdmin"]

# Under django-unfold, the list has neither actions nor an add button for any other ModelAdmin.
package = "unfold" if apps.is_installed("unfold") else "django.contrib"
ModelAdmin: Any = import_string(f"{package}.admin.ModelAdmin")


class TaskAdmin(ListMixin, DetailMixin, AddMixin, ActionsMixin, ModelAdmin):  # type: ignore[misc]
    """Tasks for an operator."""

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        for url in urls:
            url.callback = answers_when_unavailable(url.callback)
        return urls


admin.site.register(Task, TaskAdmin)
