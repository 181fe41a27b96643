"""Which media type an answer has (docs/reference/http.md, "Media types")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_QUALITY = re.compile(r"q\s*=\s*([01](?:\.[0-9]*)?)")


class ContentNegotiation(BaseContentNegotiation):
    """The media type that the client prefers; the first renderer's where it does not care."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        sent = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The renderer of the preferred type. Raises NotAcceptable if none of them will do."""
        ranges = _parse(request.headers.get("Accept") or "*/*")
        best = max(renderers, key=lambda renderer: _quality(str(renderer.media_type), ranges))
        if not _quality(str(best.media_type), ranges):
            raise NotAcceptable(available_renderers=list(renderers))
        return best, str(best.media_type)


@lru_cache
def _parse(accept: str) -> Mapping[str, float]:
    return dict(map(_parse_range, accept.lower().split(",")))


def _parse_range(text: str) -> tuple[str, float]:
    media_range, *parameters = [part.strip() for part in text.split(";")]
    qualities = filter(None, map(_QUALITY.fullmatch, parameters))
    return media_range, next((float(quality[1]) for quality in qualities), 1.0)


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """What the most specific range that holds the type says of it."""
    ancestors = [media_type, f"{media_type.partition('/')[0]}/*", "*/*"]
    return next((ranges[name] for name in ancestors if name in ranges), 0.0)
