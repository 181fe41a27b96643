"""Tells a client that it has an answer already (docs/reference/http.md, "Asking again")."""

from __future__ import annotations

from hashlib import sha1
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

Answer = TypeVar("Answer", bound=HttpResponse)


def tag(request: HttpRequest, response: Answer) -> Answer:
    """Give a rendered answer to a GET its ``ETag``; a 304 where ``If-None-Match`` names it."""
    if request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    digest = sha1(response.content, usedforsecurity=False).hexdigest()
    # Weak, for a proxy that compresses the answer makes other bytes of it.
    response["ETag"] = f'W/"{digest}"'
    known = request.headers.get("If-None-Match")
    if known and _names(known, f'"{digest}"'):
        response.status_code = 304
        response.content = b""
        del response["Content-Type"]
    return response


def _names(tags: str, strong: str) -> bool:
    known = [tag.removeprefix("W/") for tag in parse_etags(tags)]
    return known == ["*"] or strong in known
