"""The ``ModelAdmin`` of tasks, in the order of its pages: the list, a task, a new one, actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from django_image_tasks.admin import add, columns, day, detail, filters, live
from django_image_tasks.admin.actions import Cancel, Export, Retry, act_on_one, act_on_selected
from django_image_tasks.admin.changelist import TaskChangeList
from django_image_tasks.admin.unavailable import answers_when_unavailable
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.models import Task

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Task]
else:
    # Under django-unfold, the list has neither actions nor an add button for any other ModelAdmin.
    package = "unfold" if apps.is_installed("unfold") else "django.contrib"
    ModelAdmin = import_string(f"{package}.admin.ModelAdmin")

TEMPLATES = "django_image_tasks/admin"
"""Not where Django looks by itself: what lies there is taken for every ``ModelAdmin`` of a task."""


class TaskAdmin(ModelAdmin):
    """Tasks for an operator: a list that moves, a page about each task, and actions.

    Machines write these rows, so nothing can be changed or deleted. Who may change tasks may cancel
    them, and who may also add tasks may retry them. Every page answers 503 while the database is
    away. A subclass may override whatever a ``ModelAdmin``'s may.
    """

    # The list

    change_list_template = f"{TEMPLATES}/change_list.html"
    list_display = ("label", "badge", "line", "created", "whose")
    list_filter = (
        filters.StatusFilter,
        filters.TypeFilter,
        filters.CreatedFilter,
        filters.AttentionFilter,
        filters.RetriedFilter,
        filters.FailureFilter,
    )
    list_per_page = 50
    ordering = ("-created_at", "-id")
    sortable_by = ("badge", "created", "whose")
    show_facets = admin.ShowFacets.NEVER
    # This shows the search box; get_search_results decides what it does.
    search_fields = ("id",)
    search_help_text = _(
        "The id of a task (four digits or more), an image, a request, a user or an owner; the "
        "beginning of a name; a worker; or a part of a recent failure's message."
    )

    label = staticmethod(columns.label)
    badge = staticmethod(columns.badge)
    line = staticmethod(columns.line)
    created = staticmethod(columns.created)
    whose = staticmethod(columns.whose)

    class Media:
        css = {"all": ["django_image_tasks/tasks.css", "django_image_tasks/admin.css"]}
        js = [
            forms.Script(f"django_image_tasks/{name}.js", defer=True)
            for name in ("live", "copy", "dashboard")
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TaskChangeList]:
        return TaskChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        term = search_term.strip()
        if term:
            queryset = filters.search(request, queryset, self.get_queryset(request), term)
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        # Django itself looks up whatever is sent as an id, and fails at what is none.
        chosen = request.POST.copy()
        ids = [pk for pk in chosen.getlist(ACTION_CHECKBOX_NAME) if parse_uuid(str(pk))]
        chosen.setlist(ACTION_CHECKBOX_NAME, ids)
        request.POST = chosen  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def live_view(self, request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
        """What has changed on the list, or on a task's page, while somebody looks at it.

        Raises PermissionDenied for a user who may not see tasks, as the other pages do.
        """
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return live.of_task(self, request, pk) if pk else live.of_list(self, request)

    def day_view(self, request: HttpRequest) -> HttpResponse:
        """Why tasks failed within a day, and how long they waited and ran."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return day.answer(self, request)

    # A task's page

    change_form_template = f"{TEMPLATES}/change_form.html"
    # It shows the task without a form.
    fieldsets = ((None, {"fields": ()}),)

    def has_change_permission(self, request: HttpRequest, obj: Task | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Task | None = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if obj := kwargs.get("obj"):
            context |= detail.live_context(self, request, obj) | detail.lasting_context(
                request, obj
            )
            context |= {"title": str(obj), "subtitle": None}
        return super().render_change_form(request, context, *args, **kwargs)

    # A new task

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(registry.runnable_types()) and super().has_add_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return add.answer(self, request, extra_context or {})

    # Actions

    actions = ("cancel_selected", "retry_selected", "export_as_csv", "export_as_json")

    @admin.action(description=_("Cancel selected tasks"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        return act_on_selected(self, request, tasks, Cancel())

    @admin.action(description=_("Retry selected tasks"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        again = request.GET.get(filters.RetriedFilter.parameter_name) == "yes"
        return act_on_selected(self, request, tasks, Retry(again=again))

    @admin.action(description=_("Export selected tasks as CSV"), permissions=["view"])
    def export_as_csv(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        return act_on_selected(self, request, tasks, Export("csv"))

    @admin.action(description=_("Export selected tasks as JSON"), permissions=["view"])
    def export_as_json(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        return act_on_selected(self, request, tasks, Export("json"))

    def cancel_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask whether to cancel one task, and do it."""
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        return act_on_one(self, request, pk, Cancel())

    def retry_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask whether to retry one task, and do it."""
        if not self.has_retry_permission(request):
            raise PermissionDenied
        return act_on_one(self, request, pk, Retry(again=True))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether the user may cancel tasks."""
        return request.user.has_perm("django_image_tasks.change_task")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether the user may retry tasks."""
        rights = ("django_image_tasks.change_task", "django_image_tasks.add_task")
        return request.user.has_perms(rights)

    # Addresses

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        urls = [
            path("day/", wrap(self.day_view), name=f"{name}_day"),
            path("live/", wrap(self.live_view), name=f"{name}_live"),
            path("<uuid:pk>/live/", wrap(self.live_view), name=f"{name}_task_live"),
            path("<uuid:pk>/cancel/", wrap(self.cancel_view), name=f"{name}_cancel"),
            path("<uuid:pk>/retry/", wrap(self.retry_view), name=f"{name}_retry"),
            *super().get_urls(),
        ]
        for url in urls:
            url.callback = answers_when_unavailable(url.callback)
        return urls

    def address(self, page: str, *args: Any) -> str:
        """The address of a page: ``changelist``, or ``change``, ``cancel``, … with a task's id."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=args, current_app=self.admin_site.name)

    def render_page(
        self, request: HttpRequest, name: str, context: dict[str, Any]
    ) -> TemplateResponse:
        """A page of ours in the admin's frame."""
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "has_view_permission": self.has_view_permission(request),
        }
        return TemplateResponse(request, f"{TEMPLATES}/{name}.html", frame | context)
