"""What the mixins of the admin share: who may do what with a task, and where its pages are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import reverse

from django_image_tasks.models import Task
from django_image_tasks.services import can_retry
from django_image_tasks.states import UNFINISHED

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Task]
else:
    Base = object


class RightsMixin(Base):
    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("django_image_tasks.change_task")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        rights = ("django_image_tasks.change_task", "django_image_tasks.add_task")
        return request.user.has_perms(rights)

    def can_cancel(self, request: HttpRequest, task: Task) -> bool:
        is_open = task.status in UNFINISHED and task.cancel_requested_at is None
        return is_open and self.has_cancel_permission(request)

    def can_retry(self, request: HttpRequest, task: Task) -> bool:
        return can_retry(task.status, task.type) and self.has_retry_permission(request)

    def page_of(self, pk: Any, page: str = "change") -> str:
        """The address of a task's page, or of a question about it: ``cancel``, ``retry``."""
        return self._address(page, [pk])

    def list_page(self) -> str:
        return self._address("changelist", [])

    def _address(self, page: str, args: list[Any]) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=args, current_app=self.admin_site.name)
