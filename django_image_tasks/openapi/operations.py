"""What each of our operations does, and what it may answer (docs/reference/http.md, "Routes")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django_image_tasks.schemas import text


class Operation(NamedTuple):
    """What a document says of one operation."""

    id: str
    summary: str
    description: str
    answer: str
    """What comes with success."""
    status: int = 200
    """The status of success."""
    errors: tuple[int, ...] = ()
    """Besides those of every operation."""
    shows_task: bool = False
    """Whether the answer is one whole task, which may not have ended."""
    document: tuple[str, Mapping[str, Any]] | None = None
    """The name and JSON Schema of an answer that has no serializer."""

    @property
    def headers(self) -> list[str]:
        """The headers of success, besides those of every answer."""
        tagged = ["ETag"] if self.status == 200 else []
        created = ["Location"] if self.status == 201 else []
        later = ["Retry-After"] if self.shows_task else []
        waited = ["Preference-Applied"] if tagged and later else []
        return [*tagged, *created, *later, *waited]

    @property
    def others(self) -> list[int]:
        """The statuses of the answers that are not success."""
        return sorted({*self.errors, *ALWAYS, *([304] if self.status == 200 else [])})


ALWAYS = (400, 406, 429, 500, 503)
KNOWN = (401, 403)
WRITES = (*KNOWN, 413, 415)
"""Also of actions, which ignore a body: for CSRF's sake a session's is looked at."""

LINK = {
    "type": "object",
    "description": "Where something is.",
    "properties": {
        "rel": text("What it is to the document that names it"),
        "href": text("The address", format="uri-template"),
    },
    "required": ["rel", "href"],
}
LINKS = {"type": "array", "description": "What belongs to it.", "items": LINK}
SCHEMA_DOCUMENT = {
    "type": "object",
    "description": "A JSON Schema.",
    "properties": {
        "name": text("What the schema describes"),
        "properties": {"type": "object", "description": "A JSON Schema for each property."},
        "links": LINKS,
    },
    "required": ["name", "properties"],
}
VERSION = {
    "type": "object",
    "description": "A version of the API.",
    "properties": {
        "id": text("The number, behind a v"),
        "status": text("CURRENT or SUPPORTED"),
        "links": LINKS,
    },
    "required": ["id", "status", "links"],
}
VERSIONS_DOCUMENT = {
    "type": "object",
    "description": "The versions of the API.",
    "properties": {
        "versions": {"type": "array", "description": "Newest first.", "items": VERSION},
    },
    "required": ["versions"],
}


def _counts(**meanings: str) -> dict[str, Any]:
    """The answer of an action on many tasks."""
    kinds = {
        name: {"type": "integer", "minimum": 0, "maximum": 1000, "description": meaning}
        for name, meaning in meanings.items()
    }
    following = text("The path to which the next request goes, if there are more tasks")
    return {
        "type": "object",
        "description": "How many tasks were touched.",
        "properties": {**kinds, "next": following},
        "required": [*kinds],
    }


CANCELLED = _counts(
    cancelled="Tasks that are a failure now.",
    stopping="Running tasks that are asked to stop.",
    skipped="Tasks that stay as they are.",
)
RETRIED = _counts(retried="New tasks.", skipped="Tasks of which none was made.")
MANY = (
    " At most 1000 a request. At least one filter is required, and a parameter that is not listed "
    "here is refused."
)

TASKS = {
    "list": Operation(
        "list_tasks",
        "List tasks",
        "The tasks that the caller may see, newest first. An empty parameter counts as left out, "
        "an unknown one is ignored and kept in the links. `first` and `next` are relative to the "
        "API's root; the last page has no `next`.",
        "A page of tasks.",
        errors=KNOWN,
    ),
    "create": Operation(
        "create_task",
        "Create a task",
        "The task is `pending`, and runs as soon as a worker takes it up. `name` defaults to "
        "`input.image_properties.name`.",
        "The new task.",
        status=201,
        shows_task=True,
        errors=(*WRITES, 411, 422),
    ),
    "retrieve": Operation(
        "show_task",
        "Show a task",
        "Tasks cannot be deleted: they expire some time after their end, at `expires_at`.",
        "The whole task.",
        shows_task=True,
        errors=(*KNOWN, 404),
    ),
    "cancel": Operation(
        "cancel_task",
        "Cancel a task",
        "A pending task becomes a `failure` at once; the handler of one that runs is asked to "
        "stop. Asking again does no harm.",
        "The task.",
        status=202,
        shows_task=True,
        errors=(*WRITES, 404, 409),
    ),
    "retry": Operation(
        "retry_task",
        "Retry a failed task",
        "Creates a new task with the same type, name, input and owner.",
        "The new task.",
        status=201,
        shows_task=True,
        errors=(*WRITES, 404, 409),
    ),
}
TASKS |= {
    "cancel_many": Operation(
        "cancel_tasks",
        "Cancel tasks",
        f"Cancels the tasks that a list with these filters shows.{MANY}",
        "How many tasks were cancelled.",
        status=202,
        errors=WRITES,
        document=("ImageTasksCancelled", CANCELLED),
    ),
    "retry_many": Operation(
        "retry_tasks",
        "Retry failed tasks",
        f"Retries the failed ones among the tasks that a list with these filters shows.{MANY}",
        "How many tasks were retried.",
        status=202,
        errors=WRITES,
        document=("ImageTasksRetried", RETRIED),
    ),
}
SCHEMA = Operation(
    "show_{}_schema",
    "Show a JSON Schema",
    "Describes what the API sends or takes, for clients that build their models from it.",
    "The schema.",
    errors=KNOWN,
    document=("ImageSchema", SCHEMA_DOCUMENT),
)
VERSIONS = Operation(
    "list_versions",
    "List the API's versions",
    "Needs no authentication.",
    "The versions.",
    document=("ImageVersions", VERSIONS_DOCUMENT),
)
