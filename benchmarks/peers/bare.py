"""The fastest answers that Django allows: the same SQL through a cursor, and orjson."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connections, router
from django.db.backends.utils import CursorWrapper
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from orjson import Fragment

from django_image_tasks.models import Task
from django_image_tasks.serializers import TaskSummarySerializer

TIMES = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
USER = """
SELECT auth_user.id, is_superuser FROM authtoken_token
JOIN auth_user ON auth_user.id = user_id WHERE key = %s AND is_active
"""
NAMES = TaskSummarySerializer.columns or ()
MORE = ["input", "message", "result", "user_id", "request_id", "attempts"]
TASKS = f"""
SELECT {", ".join(NAMES)} FROM django_image_tasks_task WHERE {{}}
ORDER BY created_at DESC, id DESC LIMIT %s
"""
TASK = f"SELECT {', '.join([*NAMES, *MORE])} FROM django_image_tasks_task WHERE {{}}"
MARKER = "SELECT created_at, id FROM django_image_tasks_task WHERE id = %s"
BEHIND = {
    "mysql": "created_at <= %s AND (created_at < %s OR created_at = %s AND id < %s)",
    "postgresql": "(created_at, id) < (%s, %s)",
    "sqlite": "(created_at, id) < (%s, %s)",
}


def tasks(request: HttpRequest) -> HttpResponse:
    limit = int(request.GET.get("limit", 25))
    rows = _rows(request, TASKS, limit + 1)
    page = [_task(NAMES, row) for row in rows[:limit]]
    body = {"tasks": page, "first": "/v2/tasks", "schema": "/v2/schemas/tasks"}
    if len(rows) > limit:
        body["next"] = f"/v2/tasks?limit={limit}&marker={page[-1]['id']}"
    return _answer(body)


def task(request: HttpRequest, pk: UUID) -> HttpResponse:
    [row] = _rows(request, TASK, pk=pk)
    body = _task([*NAMES, *MORE], row)
    for name in ("input", "result"):
        body[name] = body[name] and Fragment(body[name])
    return _answer(body)


def _answer(body: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(body, option=TIMES), content_type="application/json")


def _rows(request: HttpRequest, sql: str, *values: Any, pk: UUID | None = None) -> Any:
    connection = connections[router.db_for_read(Task)]
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    conditions = [("(expires_at IS NULL OR expires_at > %s)", [now])]
    with connection.cursor() as cursor:
        if pk:
            conditions += [("id = %s", [Task._meta.pk.get_db_prep_value(pk, connection)])]
        conditions += _conditions(request, cursor)
        where, bound = zip(*conditions, strict=True)
        cursor.execute(sql.format(" AND ".join(where)), [*chain(*bound), *values])
        return cursor.fetchall()


def _conditions(request: HttpRequest, cursor: CursorWrapper) -> Any:
    owner = _owner(request.headers.get("X-Auth-Token", ""), cursor)
    if owner:
        yield "owner = %s", [owner]
    for name in ("type", "status", "owner"):
        if value := request.GET.get(name):
            yield f"{name} = %s", [value]
    if marker := request.GET.get("marker"):
        cursor.execute(MARKER, [Task._meta.pk.get_db_prep_value(marker, cursor.db)])
        created_at, pk = cursor.fetchone()
        created_at = cursor.db.ops.adapt_datetimefield_value(created_at)
        behind = BEHIND[cursor.db.vendor]
        yield behind, [*[created_at] * (behind.count("%s") - 1), pk]


def _owner(token: str, cursor: CursorWrapper) -> str:
    """Return the owner whose tasks may be seen, or an empty text if everybody's may."""
    if not token:
        return str(settings.IMAGE_TASKS["ANONYMOUS_OWNER"])
    cursor.execute(USER.replace("key", cursor.db.ops.quote_name("key")), [token])
    pk, is_superuser = cursor.fetchone()
    return "" if is_superuser else str(pk)


def _task(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    task = dict(zip(names, row, strict=True))
    pk = task["id"]
    pk = str(pk if isinstance(pk, UUID) else UUID(pk))
    task |= {"id": pk, "self": f"/v2/tasks/{pk}", "schema": "/v2/schemas/task"}
    if not task["expires_at"]:
        del task["expires_at"]
    return task
