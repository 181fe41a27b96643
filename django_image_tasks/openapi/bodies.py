"""The bodies that our serializers read and send, from the JSON Schemas that are served."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiExample

from django_image_tasks import schemas, services
from django_image_tasks.handlers import registry
from django_image_tasks.openapi.components import component
from django_image_tasks.serializers import WRITABLE

LEFT_OUT_WHEN_UNSET = {"expires_at", "image_id", "request_id", "user_id"}


class SummarySerializerExtension(OpenApiSerializerExtension):
    """What the served schema says, and the fields that a host's subclass declares besides."""

    target_class = "django_image_tasks.serializers.TaskSummarySerializer"
    match_subclasses = True
    ours = "ImageTaskSummary"
    schema = schemas.TASK_IN_LIST

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        cls = type(self.target)
        is_ours = cls.__module__ == "django_image_tasks.serializers"
        name = self.ours if is_ours else cls.__name__.removesuffix("Serializer")
        return f"New{name}" if direction == "request" else name

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        sent = dict(self.schema["properties"])
        # As a reference, so that drf-spectacular does not look for a name for these values.
        sent["status"] = component(auto_schema, "schemas", "ImageTaskStatus", sent["status"])
        mapped = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        more = mapped.get("properties", {})
        return {
            "type": "object",
            "properties": sent | {k: v for k, v in more.items() if k not in sent},
            "required": [name for name in sent if name not in LEFT_OUT_WHEN_UNSET],
        }


class TaskSerializerExtension(SummarySerializerExtension):
    """A whole task, and the bodies that ask for one of each type."""

    target_class = "django_image_tasks.serializers.TaskSerializer"
    ours = "ImageTask"
    schema = schemas.TASK

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        if direction == "response":
            return super().map_serializer(auto_schema, direction)
        name = self.get_name(auto_schema, direction)
        variants = {
            type_: component(auto_schema, "schemas", variant, _new_task(type_, variant))
            for type_ in registry.runnable_types()
            for variant in [f"{name}.{_slug(type_)}"]
        }
        if not variants:
            return dict(services.new_task_schema())
        mapping = {type_: variant["$ref"] for type_, variant in variants.items()}
        return {
            "oneOf": list(variants.values()),
            "discriminator": {"propertyName": "type", "mapping": mapping},
        }


def examples() -> list[OpenApiExample]:
    """A body for each type whose handler's schema has an example of its input."""
    return [
        OpenApiExample(
            type_, {"type": type_, "input": example}, summary=handler.title, request_only=True
        )
        for type_ in registry.runnable_types()
        for handler in [registry.get_handler(type_)]
        for example in handler.input_schema.get("examples", [])[:1]
    ]


def _new_task(type_: str, name: str) -> dict[str, Any]:
    """The body that asks for a task of one type."""
    handler, body = registry.get_handler(type_), services.new_task_schema()
    root = f"#/components/schemas/{name}/properties/input"
    ignored = [key for key in schemas.TASK["properties"] if key not in WRITABLE]
    return {
        **body,
        "title": handler.title,
        "properties": {
            "type": {"type": "string", "const": type_},
            "input": _rebased(handler.input_schema, root),
            "name": {**body["properties"]["name"], "description": "A label for people."},
        },
        "required": ["type", "input"],
        "patternProperties": {
            f"^({'|'.join(ignored)})$": {"description": "Read-only: taken, and ignored."}
        },
    }


def _rebased(schema: Any, root: str) -> Any:
    """The schema with its references to itself made to hold at another place."""
    match schema:
        case {**items}:
            return {
                key: root + value[1:]
                if key == "$ref" and isinstance(value, str) and value.startswith("#")
                else _rebased(value, root)
                for key, value in items.items()
            }
        case list() | tuple():
            return [_rebased(item, root) for item in schema]
        case _:
            return schema


def _slug(type_: str) -> str:
    return re.sub(r"[^\w.-]", lambda match: f"_{ord(match[0]):x}_", type_, flags=re.ASCII)
