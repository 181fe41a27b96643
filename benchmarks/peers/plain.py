"""Plain lists of tasks in Django's admin: one with our columns, and one with ten of the fields."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest

from django_image_tasks.admin import columns
from django_image_tasks.models import Task


class Plain(ModelAdmin[Task]):
    list_filter = ("status", "type", "created_at")
    list_per_page = 50
    ordering = ("-created_at", "-id")


class OurColumns(Plain):
    list_display = (columns.label, columns.badge, columns.line, columns.created, columns.whose)

    def get_queryset(self, request: HttpRequest) -> Any:
        tasks: Any = super().get_queryset(request)
        return columns.with_columns(tasks)


class TenFields(Plain):
    list_display = (
        *("id", "name", "type", "status", "owner"),
        *("progress", "attempts", "created_at", "updated_at", "expires_at"),
    )


def site_with(model_admin: type[ModelAdmin[Task]]) -> AdminSite:
    site = AdminSite()
    site.register(Task, model_admin)
    return site


OUR_COLUMNS, TEN_FIELDS = site_with(OurColumns), site_with(TenFields)
