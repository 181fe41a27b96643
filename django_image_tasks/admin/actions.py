"""The list's actions and a task's buttons: each asks before it acts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from django_image_tasks.admin.columns import status_badge
from django_image_tasks.admin.counts import capped_count, shown
from django_image_tasks.admin.rights import RightsMixin
from django_image_tasks.admin.verbs import Cancel, Export, Retry, Verb
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.models import Task

CONFIRMED = "_confirmed"
SAMPLE = 10
"""So many tasks are named where it is asked."""


class ActionsMixin(RightsMixin):
    actions = ("cancel_selected", "retry_selected", "export_as_csv", "export_as_json")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        # Django itself looks up whatever is sent as an id, and fails at what is none.
        chosen = request.POST.copy()
        ids = [pk for pk in chosen.getlist(ACTION_CHECKBOX_NAME) if parse_uuid(str(pk))]
        chosen.setlist(ACTION_CHECKBOX_NAME, ids)
        request.POST = chosen  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    @admin.action(description=_("Cancel selected tasks"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        return self.ask_or_run(request, tasks, Cancel())

    @admin.action(description=_("Retry selected tasks"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        return self.ask_or_run(request, tasks, Retry())

    @admin.action(description=_("Export selected tasks as CSV"), permissions=["view"])
    def export_as_csv(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        return self.ask_or_run(request, tasks, Export("csv"))

    @admin.action(description=_("Export selected tasks as JSON"), permissions=["view"])
    def export_as_json(self, request: HttpRequest, tasks: Any) -> HttpResponseBase | None:
        return self.ask_or_run(request, tasks, Export("json"))

    def ask_or_run(self, request: HttpRequest, tasks: Any, verb: Verb) -> HttpResponseBase | None:
        if request.POST.get("select_across") != "1":
            # A task that the list's filter no longer lets through has still been chosen.
            rows: Any = self.get_queryset(request).filter(
                pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)
            )
            tasks = rows.in_order(tasks.order)
        elif CONFIRMED in request.POST:
            tasks = tasks.filter(verb.possible())
        if CONFIRMED not in request.POST:
            return self.ask(request, tasks, verb, back=request.get_full_path())
        done = verb.run(request, tasks.defer(None)[: verb.at_once])
        return done if isinstance(done, HttpResponseBase) else None

    def ask(
        self, request: HttpRequest, tasks: QuerySet[Task], verb: Verb, back: str
    ) -> HttpResponse:
        chosen = capped_count(tasks)
        able = capped_count(tasks.filter(verb.possible())) if verb.others else chosen
        title = verb.question % {"number": able, "count": shown(able)}
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "original": title,  # where the breadcrumbs end
            "opts": self.opts,
            "media": self.media,
            "has_view_permission": True,
            "verb": verb,
            "is_able": able > 0,
            "is_partly": able < chosen,
            "numbers": {"able": shown(able), "chosen": shown(chosen)},
            "at_once": shown(verb.at_once) if able > verb.at_once else "",
            "sample": [(task, status_badge(task)) for task in tasks[:SAMPLE]],
            "more": chosen > SAMPLE,
            "back": back,
            "action": request.POST.get("action", ""),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "confirmed": CONFIRMED,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "admin/django_image_tasks/task/confirm_action.html", context
        )

    def get_urls(self) -> list[URLPattern]:
        site, name = self.admin_site, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("<uuid:pk>/cancel/", site.admin_view(self.cancel_view), name=f"{name}_cancel"),
            path("<uuid:pk>/retry/", site.admin_view(self.retry_view), name=f"{name}_retry"),
            *super().get_urls(),
        ]

    def cancel_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Ask whether to cancel one task, and do it."""
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        return self.one(request, pk, Cancel())

    def retry_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Ask whether to retry one task, and do it."""
        if not self.has_retry_permission(request):
            raise PermissionDenied
        return self.one(request, pk, Retry())

    def one(self, request: HttpRequest, pk: Any, verb: Verb) -> HttpResponse:
        tasks = self.get_queryset(request).filter(pk=pk)
        if not tasks:
            raise Http404
        if request.method == "POST":
            pk = next((task.pk for task in verb.run(request, tasks)), pk)
            return HttpResponseRedirect(self.page_of(pk))
        return self.ask(request, tasks, verb, back=self.page_of(pk))
