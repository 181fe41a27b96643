"""What each of our operations does, and what it may answer (docs/reference/http.md, "Routes")."""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    """What a document says of one operation."""

    summary: str
    description: str = ""
    status: int = 200
    """The status of success."""
    answer: str = ""
    """What comes with that status."""
    errors: tuple[int, ...] = ()
    shows_task: bool = False
    """Whether the answer is one whole task, which may not have ended."""


ALWAYS = (406, 429, 500, 503)
KNOWN = (401, 403)

TASKS = {
    "list": Operation(
        "List tasks",
        "The tasks that the caller may see, newest first. An empty parameter counts as left out, "
        "an unknown one is ignored and kept in the links. `first` and `next` are relative to the "
        "API's root; the last page has no `next`.",
        answer="A page of tasks.",
        errors=(400, *KNOWN),
    ),
    "create": Operation(
        "Create a task",
        "The task is `pending`, and runs as soon as a worker takes it up. `name` defaults to "
        "`input.image_properties.name`.",
        status=201,
        answer="The new task.",
        shows_task=True,
        errors=(400, *KNOWN, 413, 415),
    ),
    "retrieve": Operation(
        "Show a task",
        "Tasks cannot be deleted: they expire some time after their end, at `expires_at`.",
        answer="The whole task.",
        shows_task=True,
        errors=(*KNOWN, 404),
    ),
    "cancel": Operation(
        "Cancel a task",
        "A pending task becomes a `failure` at once; the handler of one that runs is asked to "
        "stop. Asking again does no harm.",
        status=202,
        answer="The task.",
        shows_task=True,
        errors=(*KNOWN, 404, 409),
    ),
    "retry": Operation(
        "Retry a failed task",
        "Creates a new task with the same type, name, input and owner.",
        status=201,
        answer="The new task.",
        shows_task=True,
        errors=(*KNOWN, 404, 409),
    ),
}
SCHEMA = Operation(
    "Show a JSON Schema",
    "Describes what the API sends or takes, for clients that build their models from it.",
    answer="The schema.",
    errors=KNOWN,
)
VERSIONS = Operation("List the API's versions", "Needs no authentication.", answer="The versions.")

SCHEMA_DOCUMENT = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "properties": {"type": "object"},
        "links": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["name", "properties"],
}
_LINK = {
    "type": "object",
    "properties": {"rel": {"type": "string"}, "href": {"type": "string", "format": "uri"}},
    "required": ["rel", "href"],
}
_VERSION = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "status": {"type": "string"},
        "links": {"type": "array", "items": _LINK},
    },
    "required": ["id", "status", "links"],
}
VERSIONS_DOCUMENT = {
    "type": "object",
    "properties": {"versions": {"type": "array", "items": _VERSION}},
    "required": ["versions"],
}
