"""Errors and headers, as components that every operation refers to.

See docs/reference/http.md, "Errors".
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from django_image_tasks.exception_handler import ERRORS
from django_image_tasks.openapi.components import camel, component

DESCRIPTIONS = {
    304: "The client has this answer already.",
    400: "The request is not as described; the message says where and why.",
    401: "Who is asking is not known.",
    403: "Who is asking may not do this.",
    404: "There is no such task, or none that the caller may see.",
    406: "None of the media types in `Accept` can be had.",
    409: "The task's status rules this out.",
    411: "The body came without a `Content-Length`, which this server needs.",
    413: "The body is larger than the server accepts.",
    415: "The body's `Content-Type` is not `application/json`.",
    422: "The `Idempotency-Key` was used with another body.",
    429: "Too many requests.",
    500: "The server failed; its log says why.",
    503: "The database is away or busy for now.",
}

HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "x-openstack-request-id": (
        "The request's id: the client's own, or a new one.",
        {"pattern": "^req-[A-Za-z0-9._-]+$", "maxLength": 68},
    ),
    "Cache-Control": ("For no shared cache to keep.", {"const": "private, no-cache"}),
    "ETag": ("Names this answer, for `If-None-Match`.", {}),
    "Location": ("The new task's absolute URL.", {"format": "uri"}),
    "Preference-Applied": ("`wait=` and the seconds that the answer may have waited.", {}),
    "Retry-After": ("Seconds to wait, where waiting helps.", {"pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("How to say who is asking.", {}),
}
"""Of each header of an answer what it says, and what is true of its text."""
SOMETIMES = ("Preference-Applied", "Retry-After")
"""Headers that the answer may lack."""

MORE_HEADERS = {
    304: ["ETag"],
    401: ["WWW-Authenticate"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}

DETAIL = {
    "type": "object",
    "description": "What went wrong.",
    "properties": {
        "code": {"type": "integer", "description": "The answer's status."},
        "title": {"type": "string", "description": "The status in words."},
        "message": {"type": "string", "description": "One line, for a person."},
    },
    "required": ["code", "title", "message"],
}


def headers(auto_schema: AutoSchema, *more: str) -> dict[str, Any]:
    """References to the headers of every answer, and to those that this one has besides."""
    found = {}
    for name in ("x-openstack-request-id", "Cache-Control", *more):
        description, text = HEADERS[name]
        header = {
            "description": description,
            "schema": {"type": "string", **text},
            "required": name not in SOMETIMES,
        }
        found[name] = component(
            auto_schema, "headers", f"Image{name.title().replace('-', '')}", header
        )
    return found


def other(auto_schema: AutoSchema, status: int) -> Any:
    """A reference to the answer with this status, which is an error or 304."""
    name = "ImageNotModified"
    response: dict[str, Any] = {
        "description": DESCRIPTIONS[status],
        "headers": headers(auto_schema, *MORE_HEADERS.get(status, ())),
    }
    if status in ERRORS:
        name = f"ImageError{camel(ERRORS[status][0])}"
        schema = component(auto_schema, "schemas", name, _body(auto_schema, status))
        media_types = auto_schema.map_renderers("media_type")
        response["content"] = {media_type: {"schema": schema} for media_type in media_types}
    return component(auto_schema, "responses", name, response)


def _body(auto_schema: AutoSchema, status: int) -> dict[str, Any]:
    """OpenStack's nested form."""
    key, title = ERRORS[status]
    return {
        "type": "object",
        "description": title,
        "properties": {key: component(auto_schema, "schemas", "ImageErrorDetail", DETAIL)},
        "required": [key],
    }
