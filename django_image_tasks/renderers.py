"""Media types: JSON for programs, DRF's browsable API for browsers (api.md, "Errors")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import renderers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class JSONRenderer(renderers.JSONRenderer):
    """``application/json``, as compact as it gets."""


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """DRF's pages around our JSON."""

    def get_default_renderer(self, view: Any) -> renderers.BaseRenderer:
        return JSONRenderer()


class ContentNegotiation(DefaultContentNegotiation):
    """What the client prefers by ``q``; the first renderer where it does not care.

    No ``?format=``: that parameter is the client's own.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Sequence[renderers.BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[renderers.BaseRenderer, str]:
        preferred = request.get_preferred_type([renderer.media_type for renderer in renderers])
        for renderer in renderers:
            if renderer.media_type == preferred:
                return renderer, preferred
        raise NotAcceptable(available_renderers=renderers)
