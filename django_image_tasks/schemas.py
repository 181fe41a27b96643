"""The JSON Schemas under ``/v2/schemas/``.

Clients build their models from these, and POST what a ``default`` says: so there is none, nor a
``required`` or an ``additionalProperties`` (docs/reference/http.md, "Schemas").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_image_tasks.states import Status

Schema = Mapping[str, Any]


def text(description: str, **more: Any) -> Schema:
    """The schema of a string."""
    return {"description": description, "type": "string", **more}


def _time(description: str) -> Schema:
    return text(description, format="date-time")


_ITEM: Schema = {
    "id": text("An identifier for the task", format="uuid"),
    "type": text("The type of task represented by this content", maxLength=64),
    "status": text("The current status of this task", enum=Status.values),
    "owner": text("An identifier for the owner of this task", maxLength=255),
    "created_at": _time("When the task was created"),
    "updated_at": _time("When the task was last changed"),
    "self": text("The task's path, relative to the API's root"),
    "schema": text("The path of the task's schema, relative to the API's root"),
    "expires_at": _time("When the finished task is no longer available"),
    "name": text("A label for people", maxLength=255),
    "progress": {
        "description": "How much of the work is done, in percent",
        "type": "integer",
        "minimum": 0,
        "maximum": 100,
    },
}

_WHOLE: Schema = {
    **_ITEM,
    "input": {"description": "The parameters of the task", "type": "object"},
    "message": text("What went wrong; empty unless the task failed"),
    "result": {"description": "What the task made, once it succeeded", "type": ["object", "null"]},
    "image_id": text("The image the task is about", format="uuid"),
    "request_id": text("The request that created the task", maxLength=68),
    "user_id": text("The user who created the task", maxLength=255),
    "attempts": {"description": "How often the task was started", "type": "integer", "minimum": 0},
}

TASK: Schema = {"name": "task", "properties": _WHOLE}

TASK_IN_LIST: Schema = {"name": "task", "properties": _ITEM}

PAGE: Schema = {
    "tasks": {"description": "The tasks of the page", "type": "array"},
    "first": text("The first page"),
    "next": text("The page after this one; absent from the last"),
    "schema": text("The path of this schema"),
}


def tasks(item: Schema) -> Schema:
    """The schema of a page of tasks, each of which matches ``item``."""
    return {
        "name": "tasks",
        "properties": {**PAGE, "tasks": {**PAGE["tasks"], "items": item}},
        "links": [
            {"rel": "first", "href": "{first}"},
            {"rel": "next", "href": "{next}"},
            {"rel": "describedby", "href": "{schema}"},
        ],
    }


IMAGE: Schema = {
    "name": "image",
    "properties": {
        "name": text("A label for the image", maxLength=255),
        "disk_format": text("The format of the disk"),
        "container_format": text("The format of the container"),
    },
}
