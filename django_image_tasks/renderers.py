"""Media types: JSON for programs, DRF's browsable API for browsers (api.md, "Errors")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from rest_framework import renderers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

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
    """DRF's pages around our JSON."""

    def get_default_renderer(self, view: Any) -> renderers.BaseRenderer:
        return JSONRenderer()

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # No links with ?format=: that parameter is the client's own.
        return {**super().get_context(*args, **kwargs), "available_formats": []}


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
