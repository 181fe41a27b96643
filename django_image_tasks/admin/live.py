"""What ``live.js`` asks the admin for: the parts of a page that have changed."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib.admin.views.main import SEARCH_VAR
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from django_image_tasks.admin import columns, detail
from django_image_tasks.admin.changelist import ABOVE, IDS, OVERVIEW, TaskChangeList
from django_image_tasks.admin.dashboard import Dashboard
from django_image_tasks.identifiers import parse_uuid

if TYPE_CHECKING:
    from django_image_tasks.admin.task_admin import TaskAdmin

TEMPLATES = "django_image_tasks/admin"


def of_list(admin: TaskAdmin, request: HttpRequest) -> HttpResponse:
    """The cells of the tasks in ``IDS``, at most a page of them.

    With ``ABOVE`` also how many there are above the list's first task by now, and with ``OVERVIEW``
    what stands above the list.
    """
    asked = [pk for text in request.GET.get(IDS, "").split(",") if (pk := parse_uuid(text))]
    rows: Any = admin.get_queryset(request).filter(pk__in=asked[: admin.list_per_page])
    found = {task.pk: task for task in columns.with_columns(rows)} if asked else {}
    shown = {getattr(admin, str(name), None) for name in admin.get_list_display(request)}
    cells = [
        *(cell(task) for task in found.values() for cell in columns.LIVE if cell in shown),
        *(columns.gone(pk) for pk in asked[: admin.list_per_page] if pk not in found),
    ]
    context: dict[str, Any] = {}
    if ABOVE in request.GET or OVERVIEW in request.GET:
        context |= {
            "dashboard": Dashboard.shared(admin.get_queryset(request)),  # type: ignore[arg-type]
            "with_panels": OVERVIEW in request.GET,
            "opts": admin.opts,
        }
    if ABOVE in request.GET and SEARCH_VAR not in request.GET:  # a search takes its time
        context["cl"] = cast(TaskChangeList, admin.get_changelist_instance(request))
    around = _rendered(request, "live_list", context) if context else ""
    return _answer(request, "\n".join([*cells, around]))


def of_task(admin: TaskAdmin, request: HttpRequest, pk: UUID) -> HttpResponse:
    """The parts of a task's page that change while the task runs. Raises Http404 if it is gone."""
    task = admin.get_queryset(request).filter(pk=pk).first()
    if task is None:
        raise Http404
    context = detail.live_context(admin, request, task)
    return _answer(request, _rendered(request, "live_task", context))


def _rendered(request: HttpRequest, name: str, context: dict[str, Any]) -> str:
    return render_to_string(f"{TEMPLATES}/{name}.html", context, request)


def _answer(request: HttpRequest, html: str) -> HttpResponse:
    etag = quote_etag(sha256(html.encode()).hexdigest())
    response = HttpResponse(html, headers={"ETag": etag})
    return get_conditional_response(request, etag=etag, response=response) or response
