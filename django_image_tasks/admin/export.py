"""Tasks as a file: written while it is sent, in the order of the list."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from django_image_tasks.conf import conf
from django_image_tasks.models import Task
from django_image_tasks.serializers import wire_time

CHUNK = 500

INVISIBLE = (
    r"\s\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
FORMULA = re.compile(
    rf"(\A)([{INVISIBLE}]*{SIGN})|([;|\t\r\n])((?:(?![\t\r\n])[{INVISIBLE}])*{SIGN})"
)
"""How a spreadsheet knows a formula, in the widths of East Asia too: at the beginning of a cell, or
of what is one where something else than a comma separates them."""

COLUMNS = (
    *("id", "name", "type", "status", "owner", "user_id", "request_id", "image_id"),
    *("progress", "attempts", "bytes_done", "bytes_total"),
    *("created_at", "updated_at", "started_at", "finished_at", "expires_at"),
    *("retry_of", "message", "input", "result"),
)


def export(
    request: HttpRequest, ids: Sequence[UUID], suffix: str, using: str
) -> StreamingHttpResponse:
    """The tasks with these ids as ``csv``, or as ``json``: a list of what the API shows of each."""
    parts = {"csv": _csv, "json": _json}[suffix]
    content_type = {"csv": "text/csv; charset=utf-8", "json": "application/json"}[suffix]
    name = f"tasks-{timezone.now():%Y%m%dT%H%M%SZ}.{suffix}"
    return StreamingHttpResponse(
        parts(request, _tasks(ids, using)),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _tasks(ids: Sequence[UUID], using: str) -> Iterator[Task]:
    """Read the tasks by their ids, ``CHUNK`` at a time. Those that are gone by then are left out.

    A position in the list's order could not be gone on from: a task whose status changes meanwhile
    moves in the list, and would come twice or not at all. A server-side cursor would need the same
    session for minutes, which a pooler does not give.
    """
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        found = Task.objects.using(using).in_bulk(chunk)
        yield from (found[pk] for pk in chunk if pk in found)


def _json(request: HttpRequest, tasks: Iterable[Task]) -> Iterator[str]:
    show = conf.SERIALIZER_CLASS(context={"request": request})
    before = "[\n"
    for task in tasks:
        yield before + json.dumps(
            show.to_representation(task), cls=DjangoJSONEncoder, ensure_ascii=False
        )
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _csv(request: HttpRequest, tasks: Iterable[Task]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for task in tasks:
        yield writer.writerow([_cell(getattr(task, column)) for column in COLUMNS])


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return wire_time(value)
        case dict() | list():
            value = json.dumps(value, ensure_ascii=False)
    text = str(value)
    # A spreadsheet would run it as a formula, whoever wrote it.
    return FORMULA.sub(r"\1\3'\2\4", text)
