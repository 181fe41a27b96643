"""Errors and headers, as components that every operation refers to.

See docs/reference/http.md, "Errors".
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from django_image_tasks.exception_handler import ERRORS
from django_image_tasks.openapi.components import component

DESCRIPTIONS = {
    400: "A parameter or the body is not as described; the message says which and why.",
    401: "Who is asking is not known.",
    403: "Who is asking may not do this.",
    404: "There is no such task, or none that the caller may see.",
    406: "None of the media types in `Accept` can be had.",
    409: "The task's status rules this out.",
    413: "The body is larger than the server accepts.",
    415: "The body's `Content-Type` is not `application/json`.",
    429: "Too many requests.",
    500: "The server failed; its log says why.",
    503: "The database is away or busy for now.",
}

REQUEST_ID = {
    "description": "The request's id: the client's own, or a new one.",
    "schema": {"type": "string", "pattern": "^req-[A-Za-z0-9._-]+$"},
    "required": True,
}
CACHE_CONTROL = {
    "description": "For no shared cache to keep.",
    "schema": {"type": "string", "const": "private, no-cache"},
    "required": True,
}
LOCATION = {
    "description": "The new task's absolute URL.",
    "schema": {"type": "string", "format": "uri"},
    "required": True,
}
ENTITY_TAG = {
    "description": "Names this answer, for `If-None-Match`.",
    "schema": {"type": "string"},
    "required": True,
}
PREFERENCE_APPLIED = {
    "description": "`wait=` and the seconds that the answer may have waited.",
    "schema": {"type": "string"},
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "string"}}
OF_ERROR: dict[int, dict[str, Any]] = {
    401: {
        "WWW-Authenticate": {
            "description": "How to say who is asking.",
            "schema": {"type": "string"},
            "required": True,
        }
    },
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}


def headers(auto_schema: AutoSchema, **more: Any) -> dict[str, Any]:
    return {
        "x-openstack-request-id": component(auto_schema, "headers", "ImageRequestId", REQUEST_ID),
        "Cache-Control": component(auto_schema, "headers", "ImageCacheControl", CACHE_CONTROL),
        **more,
    }


def entity_tag(auto_schema: AutoSchema) -> dict[str, Any]:
    """A reference to the header."""
    return component(  # type: ignore[no-any-return]
        auto_schema, "headers", "ImageEntityTag", ENTITY_TAG
    )


def not_modified(auto_schema: AutoSchema) -> dict[str, Any]:
    """A reference to the answer without a body."""
    response = {
        "description": "The client has this answer already.",
        "headers": headers(auto_schema, ETag=entity_tag(auto_schema)),
    }
    return component(  # type: ignore[no-any-return]
        auto_schema, "responses", "ImageNotModified", response
    )


def error(auto_schema: AutoSchema, status: int) -> dict[str, Any]:
    """A reference to the answer with this status."""
    key, title = ERRORS[status]
    name = f"ImageError{key[0].upper()}{key[1:]}"
    schema = component(auto_schema, "schemas", name, _body(status, key, title))
    media_types = auto_schema.map_renderers("media_type")
    response = {
        "description": DESCRIPTIONS[status],
        "headers": headers(auto_schema, **OF_ERROR.get(status, {})),
        "content": {media_type: {"schema": schema} for media_type in media_types},
    }
    return component(auto_schema, "responses", name, response)  # type: ignore[no-any-return]


def _body(status: int, key: str, title: str) -> dict[str, Any]:
    """OpenStack's nested form."""
    inner = {
        "code": {"type": "integer", "const": status},
        "title": {"type": "string", "const": title},
        "message": {"type": "string", "description": "One line, for a person."},
    }
    return {
        "type": "object",
        "properties": {key: {"type": "object", "properties": inner, "required": list(inner)}},
        "required": [key],
    }
