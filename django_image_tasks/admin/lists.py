"""The list's side of the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from django_image_tasks.admin.changelist import TaskChangeList
from django_image_tasks.admin.columns import ColumnsMixin
from django_image_tasks.admin.filters import (
    AttentionFilter,
    CreatedFilter,
    StatusFilter,
    TypeFilter,
)
from django_image_tasks.admin.live import LiveMixin
from django_image_tasks.admin.search import SearchMixin


class ListMixin(LiveMixin, SearchMixin, ColumnsMixin):
    list_display: Any = (
        "label",
        "badge",
        "bar",
        "line",
        "created",
        "finished",
        "duration",
        "attempts",
        "owner",
        "type",
    )
    list_filter: Any = (StatusFilter, TypeFilter, CreatedFilter, AttentionFilter)
    list_per_page = 50
    ordering: Any = ("-created_at", "-id")
    sortable_by: Any = ("badge", "owner", "created")
    show_facets = admin.ShowFacets.NEVER

    @property
    def media(self) -> forms.Media:
        media: forms.Media = super().media  # type: ignore[misc]
        scripts: Any = [
            forms.Script(f"django_image_tasks/{name}.js", defer=True)
            for name in ("live", "dashboard")
        ]
        return media + forms.Media(css={"all": ["django_image_tasks/admin.css"]}, js=scripts)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TaskChangeList
