"""Media types: JSON for programs, DRF's browsable API for browsers (api.md, "Errors")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from rest_framework import renderers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from django_image_tasks.browsable import page
from django_image_tasks.tenancy import get_owner

__all__ = ["BrowsableAPIRenderer", "JSONRenderer"]

_QUALITY = re.compile(r"q\s*=\s*([01](?:\.[0-9]*)?)")


try:
    import orjson
except ImportError:  # the extra [speed]
    orjson = None  # type: ignore[assignment]


class JSONRenderer(renderers.JSONRenderer):
    """``application/json``, as compact as it gets; by orjson where it is installed."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        indent = self.get_indent(accepted_media_type or "", renderer_context or {})
        if orjson and data is not None and not indent:
            # It refuses some of what DRF's encoder takes, as an integer of more than 64 bits.
            with suppress(orjson.JSONEncodeError):
                return orjson.dumps(data)
        return super().render(data, accepted_media_type, renderer_context)


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """Pages around our JSON: a readable task or list, its filters, and forms that send JSON."""

    template = "django_image_tasks/api.html"

    def get_default_renderer(self, view: Any) -> renderers.BaseRenderer:
        return JSONRenderer()

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Any
    ) -> dict[str, Any]:
        view, request = renderer_context["view"], renderer_context["request"]
        response = renderer_context["response"]
        renderer = self.get_default_renderer(view)
        kind = page.kind_of(data, response.status_code)
        return {
            "kind": kind,
            "data": data,
            "content": self.get_content(renderer, data, accepted_media_type, renderer_context),
            "message": page.message_of(data) if kind == "error" else "",
            "actions": page.actions_on(data, request) if kind == "task" else [],
            "root": page.api_root(request.path),
            "paginator": self.get_paginator(view) if kind == "list" else None,
            "filter": self.get_filterset(view, request, response),
            "create_forms": self.get_create_forms(view, request, response),
            "csrf_header_name": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
            "response_headers": {**response.headers, "Content-Type": renderer.media_type},
            "view": view,
            "request": request,
            "response": response,
            "user": request.user,
        }

    def get_paginator(self, view: Any) -> Any:
        paginator = view.paginator
        return paginator if getattr(paginator, "display_page_controls", False) else None

    def get_filterset(self, view: Any, request: Request, response: Response) -> Any:
        """For the list, also where its query is wrong."""
        if getattr(view, "action", None) != "list" or response.status_code not in (200, 400):
            return None
        with suppress(SuspiciousOperation):  # a query that Django will not read
            return view.filterset_class(request.query_params, request=request)

    def get_create_forms(self, view: Any, request: Request, response: Response) -> Any:
        """Beside a list, and for another try where the body was wrong."""
        action = getattr(view, "action", None)
        is_list = action == "list" and response.status_code == 200
        is_refused = action == "create" and response.status_code in (400, 413, 415)
        if is_refused or (is_list and get_owner(request) is not None):
            return page.create_forms()
        return None


class ContentNegotiation(BaseContentNegotiation):
    """The media type that the client prefers; the first renderer's where it does not care."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        sent = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[renderers.BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[renderers.BaseRenderer, str]:
        accept = request.headers.get("Accept") or "*/*"
        ranges = dict(map(_parse_range, accept.lower().split(",")))
        best = max(renderers, key=lambda renderer: _quality(str(renderer.media_type), ranges))
        if not _quality(str(best.media_type), ranges):
            raise NotAcceptable(available_renderers=list(renderers))
        return best, str(best.media_type)


def _parse_range(text: str) -> tuple[str, float]:
    media_range, *parameters = [part.strip() for part in text.split(";")]
    qualities = filter(None, map(_QUALITY.fullmatch, parameters))
    return media_range, next((float(quality[1]) for quality in qualities), 1.0)


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """What the most specific range that holds the type says of it."""
    ancestors = [media_type, f"{media_type.partition('/')[0]}/*", "*/*"]
    return next((ranges[name] for name in ancestors if name in ranges), 0.0)
