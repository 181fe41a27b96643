"""What ``live.js`` asks for while tasks of the list run."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _

from django_image_tasks.admin.columns import size_done, with_columns
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.models import Task
from django_image_tasks.states import UNFINISHED

CELLS = ("badge", "finished", "duration", "line")


class LiveMixin:
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.live_view)  # type: ignore[attr-defined]
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("live/", view, name="django_image_tasks_task_live"), *urls]

    def live_view(self, request: HttpRequest) -> JsonResponse:
        """How the tasks in ``ids`` (with commas between them) do; one query, one page of them."""
        admin: Any = self
        if not admin.has_view_or_change_permission(request):
            raise PermissionDenied
        ids = map(parse_uuid, request.GET.get("ids", "").split(","))
        pks = [pk for pk in ids if pk][: admin.list_per_page]
        rows = with_columns(admin.get_queryset(request).filter(pk__in=pks))
        return JsonResponse({"tasks": [self._state(task) for task in rows]})

    def _state(self, task: Task) -> dict[str, Any]:
        return {
            "id": task.pk,
            "status": task.status,
            "is_finished": task.status not in UNFINISHED,
            "progress": task.progress,
            "percent": _("%(number)d %%") % {"number": task.progress},
            "bytes_done": task.bytes_done,
            "bytes_total": task.bytes_total,
            "size": size_done(task),
            "news": _("%(task)s: %(status)s") % {"task": task, "status": task.get_status_display()},
            "cells": {name: self._cell(name, task) for name in CELLS}
            | {"attempts": str(task.attempts)},
        }

    def _cell(self, name: str, task: Task) -> str:
        admin: Any = self
        return conditional_escape(getattr(admin, name)(task) or admin.get_empty_value_display())
