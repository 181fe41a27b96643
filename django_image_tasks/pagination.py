"""Marker pagination: a page begins where the one before ended.

See docs/reference/http.md, "Paging".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote_plus

from django.template.loader import render_to_string
from django.utils.functional import cached_property
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from django_image_tasks import schemas
from django_image_tasks.conf import conf
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.identifiers import dashed, parse_uuid
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.time_limit import time_limit

TASKS_PATH = "/v2/tasks"
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class MarkerPagination(BasePagination):
    """Finds the page by the marker's own values; one row of look-ahead tells if another follows."""

    template = "django_image_tasks/pager.html"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The tasks of the page. Raises InvalidInput in the contract's words."""
        self.request = request
        limit = self.get_limit(request)
        if marker := _last_value(request, "marker"):
            names = [key.name for key in queryset.order]
            queryset = queryset.after(self.get_position(marker, names, view.get_visible()))
        with time_limit(queryset.db) if queryset.may_be_slow else nullcontext():
            rows = list(queryset.up_to(limit + 1)) if limit else []
        self.has_next = len(rows) > limit
        self.page = rows[:limit]
        self.display_page_controls = True
        return self.page

    def get_limit(self, request: Request) -> int:
        """Tasks on the page: what ``limit`` asks for, within the settings. Raises InvalidInput."""
        default, most = self.get_limits()
        text = _last_value(request, "limit")
        if not text:
            return min(default, most)
        if not re.fullmatch("[+-]?[0-9]+", text):
            raise InvalidInput("limit param must be an integer")
        # Python's int() refuses thousands of digits.
        limit = min(Decimal(text), Decimal(most))
        if limit < 0:
            raise InvalidInput("limit param must be positive")
        return int(limit)

    def get_limits(self) -> tuple[int, int]:
        """Tasks on a page if the client names no number, and the most whatever it names."""
        return conf.LIMIT_PARAM_DEFAULT, conf.API_LIMIT_MAX

    def get_position(
        self, marker: str, names: Sequence[str], visible: TaskQuerySet
    ) -> Mapping[str, Any]:
        """These columns of the task that the marker names.

        Raises InvalidInput for what is no id, and for a task that the caller does not see.
        """
        pk = parse_uuid(marker)
        if pk is None:
            raise InvalidInput("Invalid marker format")
        found: Any = visible.with_id(pk).rows(names, as_text=False)
        for position in found:
            return position._asdict()  # type: ignore[no-any-return]
        raise InvalidInput(f"Task with the given id {marker} was not found")

    def get_paginated_response(self, data: Any) -> Response:
        body = {"tasks": data, "first": self.first, "schema": "/v2/schemas/tasks"}
        if self.has_next:
            body["next"] = self.next
        return Response(body)

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """The page around an array of this schema, for a description in OpenAPI."""
        tasks = {**schemas.PAGE["tasks"], **schema, "maxItems": conf.API_LIMIT_MAX}
        properties = {**schemas.PAGE, "tasks": tasks}
        required = [name for name in properties if name != "next"]
        return {
            "type": "object",
            "description": "A page of tasks",
            "properties": properties,
            "required": required,
        }

    @property
    def path(self) -> str:
        """The page's own path below the API's root."""
        return TASKS_PATH

    @property
    def first(self) -> str:
        return self.path + ("?" + "&".join(self._parameters) if self._parameters else "")

    @property
    def next(self) -> str:
        marker = f"marker={dashed(self.page[-1].id)}"
        return self.path + "?" + "&".join([*self._parameters, marker])

    @cached_property
    def _parameters(self) -> list[str]:
        """The client's parameters as they were sent, less the marker."""
        # PEP 3333 hands bytes over as Latin-1, ASGI as UTF-8.
        encoding = "latin-1" if hasattr(self.request, "environ") else "utf-8"
        query = quote(self.request.META["QUERY_STRING"].encode(encoding), safe=PRINTABLE)
        return [
            pair
            for pair in query.split("&")
            if pair and unquote_plus(pair.partition("=")[0]) != "marker"
        ]

    def get_results(self, data: Mapping[str, Any]) -> Any:
        return data["tasks"]

    def to_html(self) -> str:
        root = self.request.path.removesuffix(self.path)
        links = {
            "first": self.request.build_absolute_uri(root + self.first),
            "next": self.has_next and self.request.build_absolute_uri(root + self.next),
        }
        return render_to_string(self.template, links)


class ActionPagination(MarkerPagination):
    """The tasks that one request acts on, which are no page for anybody to read."""

    MOST = 1000

    def get_limits(self) -> tuple[int, int]:
        return self.MOST, self.MOST

    @property
    def path(self) -> str:
        return f"{TASKS_PATH}/actions/{self.request.path.rpartition('/')[2]}"

    def get_paginated_response(self, data: Any) -> Response:
        self.display_page_controls = False
        return Response(data | ({"next": self.next} if self.has_next else {}), status=202)


def _last_value(request: Request, name: str) -> str | None:
    """Where a parameter is repeated, its last value acts; an empty one counts as left out."""
    values = [value for value in request.query_params.getlist(name) if value]
    return values[-1] if values else None
