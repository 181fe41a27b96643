"""The page about the last day: why tasks failed, and how long they waited and ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from django_image_tasks import health
from django_image_tasks.measures import duration, relative_time

if TYPE_CHECKING:
    from django_image_tasks.admin.task_admin import TaskAdmin


def answer(admin: TaskAdmin, request: HttpRequest) -> HttpResponse:
    now, tasks = timezone.now(), admin.get_queryset(request)
    groups = health.failures(tasks, now)  # type: ignore[arg-type]
    context = {
        "title": _("The last day"),
        "original": _("The last day"),  # where the breadcrumbs end
        "groups": [
            {"time": relative_time(group.finished_at), **group._asdict()}
            for group in groups[: health.LARGEST]
        ],
        "others": sum(group.number for group in groups[health.LARGEST :]),
        "is_cut": sum(group.number for group in groups) == health.MOST_RUNNING,
        "times": [
            [each.type, each.number, *map(duration, each[2:])]
            for each in health.times(tasks, now)  # type: ignore[arg-type]
        ],
        "list_url": admin.address("changelist"),
        "can_retry": admin.has_retry_permission(request),
    }
    return admin.render_page(request, "day", context)
