"""JSON for programs, and DRF's browsable API for browsers."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from rest_framework import renderers
from rest_framework.response import Response

from django_image_tasks.browsable import page
from django_image_tasks.states import UNFINISHED

__all__ = ["BrowsableAPIRenderer", "JSONRenderer"]

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
        kind = "error" if response.status_code >= 400 else view.shows
        content = self.get_content(renderer, data, accepted_media_type, renderer_context)
        return {
            "kind": kind,
            "data": data,
            "content": content[: page.MOST_CHARACTERS],
            "is_cut": len(content) > page.MOST_CHARACTERS,
            "message": page.message_of(data) if kind == "error" else "",
            "actions": page.actions_on(data, view) if kind == "task" else [],
            "root": page.api_root(request.path),
            "unfinished": UNFINISHED,
            "login_url": page.login_url(),
            "links": page.links(request.user, data["id"] if kind == "task" else ""),
            "curl": page.curl(request) if request.method == "GET" else "",
            "paginator": self.get_paginator(view) if kind == "list" else None,
            "filter": getattr(view, "filterset", None),
            "create_forms": self.get_create_forms(view, response),
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

    def get_create_forms(self, view: Any, response: Response) -> Any:
        """Beside a list, and for another try where the body was wrong."""
        action = getattr(view, "action", None)
        is_list = action == "list" and response.status_code == 200
        is_refused = action == "create" and response.status_code in (400, 413, 415)
        if is_refused or (is_list and view.owner is not None):
            return page.create_forms()
        return None
