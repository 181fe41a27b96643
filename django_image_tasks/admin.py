from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.models import Attempt, Task


class TaskChangeList(ChangeList):
    """A page and one row of look-ahead: the cost of a page does not grow with the table."""

    def get_queryset(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_queryset(*args, **kwargs).defer("input", "result", "message")

    def get_results(self, request: HttpRequest) -> None:
        page, size = max(1, self.page_num), self.list_per_page
        rows = list(self.queryset[(page - 1) * size : page * size + 1])
        self.newer = page > 1 and self.get_query_string({PAGE_VAR: page - 1})
        self.older = len(rows) > size and self.get_query_string({PAGE_VAR: page + 1})
        self.result_list = rows[:size]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.paginator = None


class TypeFilter(admin.SimpleListFilter):
    """Offers the registered types; Django's own filter would look through the whole table."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(type_, type_) for type_ in registry.types()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(type=self.value()) if self.value() else queryset


class ReadOnly:
    """Machines write these rows; people look at them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AttemptInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Attempt
    fields = ("worker", "started_at", "ended_at", "outcome", "message")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(Task)
class TaskAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("__str__", "type", "state", "percent", "owner", "attempts", "created_at")
    list_filter = ("status", TypeFilter)
    ordering = ("-created_at", "-id")
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("id",)
    search_help_text = _("An id, an owner, or the beginning of a name")
    inlines = (AttemptInline,)
    fieldsets = (
        (None, {"fields": ("name", "type", "state", "percent", "message")}),
        (_("Work"), {"fields": ("pretty_input", "pretty_result", "image_id")}),
        (_("Who asked"), {"fields": ("owner", "user_id", "request_id", "cancel_requested_by")}),
        (
            _("When"),
            {"fields": ("created_at", "updated_at", "started_at", "finished_at", "expires_at")},
        ),
    )

    class Media:
        css = {"all": ("django_image_tasks/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TaskChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        pk = parse_uuid(term)
        found = queryset.filter(Q(owner=term) | Q(pk=pk) if pk else Q(owner=term))
        # One after the other: names have no index, and an OR would read the table for an owner too.
        if not pk and not found.exists():
            found = queryset.filter(name__startswith=term)
        return found, False

    @admin.display(description=_("status"))
    def state(self, task: Task) -> SafeString:
        return format_html(
            '<span class="task-status {}">{}</span>', task.status, task.get_status_display()
        )

    @admin.display(description=_("progress"))
    def percent(self, task: Task) -> str:
        return f"{task.progress} %"

    @admin.display(description=_("input"))
    def pretty_input(self, task: Task) -> SafeString:
        return _pretty(task.input)

    @admin.display(description=_("result"))
    def pretty_result(self, task: Task) -> str:
        return "-" if task.result is None else _pretty(task.result)


def _pretty(value: Any) -> SafeString:
    return format_html(
        '<pre class="task-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False)
    )
