"""One task: all that is known of it, and what can be done with it. Nothing here can be edited."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.files.storage import FileSystemStorage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from django_image_tasks.admin.columns import status_badge
from django_image_tasks.admin.json_markup import document
from django_image_tasks.admin.rights import RightsMixin
from django_image_tasks.admin.timeline import timeline
from django_image_tasks.admin.times import relative_time
from django_image_tasks.admin.transfer import transferred
from django_image_tasks.handlers.image_import.storage import get_storage
from django_image_tasks.models import Attempt, Task
from django_image_tasks.states import UNFINISHED

LIVE = "_live"
"""With this in its query string, the page is only what changes while a task runs."""
MOST_ATTEMPTS = 50
MOST_RETRIES = 20


class DetailMixin(RightsMixin):
    # The template shows the task without a form.
    fieldsets = ((None, {"fields": ()}),)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Machines write these rows. What people may do has actions, with their own permissions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if LIVE not in request.GET:
            return super().change_view(request, object_id, form_url, extra_context)
        task = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, task):
            raise PermissionDenied
        if task is None:
            raise Http404
        return TemplateResponse(
            request, "admin/django_image_tasks/task/live.html", self.live_context(request, task)
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Task | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"title": str(obj), "subtitle": None}
            context |= self.live_context(request, obj) | self.lasting_context(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def live_context(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        """What may change while the task runs."""
        now = timezone.now()
        attempts = Attempt.objects.filter(task=task).order_by("-number")[:MOST_ATTEMPTS]
        return {
            "task": task,
            "badge": status_badge(task),
            "is_running": task.status in UNFINISHED,
            "is_stuck": is_stuck(task),
            "transferred": transferred(task),
            "timeline": timeline(task, attempts, now),
            "result": None if task.result is None else document(task.result),
            "image_url": image_url(task),
            "can_cancel": self.can_cancel(request, task),
            "can_retry": self.can_retry(request, task),
            "cancel_url": self.page_of(task.pk, "cancel"),
            "retry_url": self.page_of(task.pk, "retry"),
        }

    def lasting_context(self, task: Task) -> dict[str, Any]:
        original = Task.objects.filter(pk=task.retry_of) if task.retry_of else Task.objects.none()
        return {
            "input": document(task.input),
            "api_url": api_url(task),
            "history_url": self.page_of(task.pk, "history"),
            "retry_of": next(iter(self.related(original)), None),
            "retried_by": self.related(Task.objects.filter(retry_of=task.pk)),
        }

    def related(self, tasks: QuerySet[Task]) -> list[dict[str, Any]]:
        now = timezone.now()
        newest = tasks.only("name", "type", "status", "created_at").order_by("-created_at")
        return [
            {
                "task": task,
                "badge": status_badge(task),
                "url": self.page_of(task.pk),
                "created": relative_time(task.created_at, now),
            }
            for task in newest[:MOST_RETRIES]
        ]


def is_stuck(task: Task) -> bool:
    """Whether nobody looks after it: neither a worker nor the queue."""
    lease = task.lease_expires_at
    return task.status in UNFINISHED and lease is not None and lease <= timezone.now()


def api_url(task: Task) -> str:
    """The task in the API; empty if the host does not route it, or the API hides it by now."""
    if task.expires_at and task.expires_at <= timezone.now():
        return ""
    try:
        return reverse("image_tasks:task-detail", args=[task.pk])
    except NoReverseMatch:
        return ""


def image_url(task: Task) -> str:
    """The image that an import stored, if the storage serves its files."""
    result: Any = task.result if isinstance(task.result, dict) else {}
    location = str(result.get("location"))
    if not location.startswith(f"images/{result.get('image_id')}/{task.pk}-"):
        return ""
    storage = get_storage()
    if isinstance(storage, FileSystemStorage) and storage.base_url in (None, "", "/"):
        return ""
    try:
        return storage.url(location)
    except (NotImplementedError, ValueError):
        return ""
