"""New tasks: choose a type, fill in the form made from its schema, or write JSON."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from django_image_tasks import tenancy
from django_image_tasks.admin.new_task import NewTask
from django_image_tasks.admin.rights import RightsMixin
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import request_id_of
from django_image_tasks.models import Task
from django_image_tasks.services import create_task

OTHERWISE = "_otherwise"
"""The button that leads from the fields to JSON, and back."""


class AddMixin(RightsMixin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(registry.runnable_types()) and super().has_add_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        types = registry.runnable_types()
        type_ = request.GET.get("type", types[0] if len(types) == 1 else "")
        context = {"has_other_types": len(types) > 1, **(extra_context or {})}
        if type_ not in types:
            titles = [(type_, registry.get_handler(type_).title) for type_ in types]
            return self.render_add(request, {"titles": titles, **context})
        return self.add_of_type(request, type_, context)

    def add_of_type(self, request: HttpRequest, type_: str, context: Any) -> HttpResponse:
        is_raw = (request.POST or request.GET).get("raw") == "1"
        new = NewTask(type_, is_raw=is_raw)
        if request.method != "POST":
            new.begin(tenancy.get_owner(request))
            return self.render_add(request, {"new": new, **context})
        new.read(request.POST)
        try:
            if OTHERWISE in request.POST:
                new = new.otherwise()
            elif new.is_valid():
                return HttpResponseRedirect(self.page_of(self.create(request, new).pk))
        except InvalidInput as error:
            new.error = str(error)
        return self.render_add(request, {"new": new, **context})

    def create(self, request: HttpRequest, new: NewTask) -> Task:
        """Validate as the API does, and submit. Raises InvalidInput in the API's words."""
        with transaction.atomic():
            task = create_task(
                **new.body(),
                owner=new.labels.cleaned_data["owner"],
                user_id=tenancy.user_id(request),
                request_id=request_id_of(request),
            )
            self.log_addition(request, task, [{"added": {}}])
        self.message_user(request, _("The task was created."), messages.SUCCESS)
        return task

    def render_add(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        page = {
            **self.admin_site.each_context(request),
            "title": _("Add a task"),
            "add": True,
            "has_view_permission": self.has_view_permission(request),
            "media": self.media,
            "opts": self.opts,
            "back": self.list_page(),
        }
        template = "admin/django_image_tasks/task/add_form.html"
        return TemplateResponse(request, template, page | context)
