"""The bodies that our serializers read and send, from the JSON Schemas that are served."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiExample

from django_image_tasks import schemas, services
from django_image_tasks.handlers import registry
from django_image_tasks.openapi.components import camel, component, hoist
from django_image_tasks.serializers import WRITABLE

LEFT_OUT_WHEN_UNSET = {"expires_at", "image_id", "request_id", "user_id"}


class SerializerExtension(OpenApiSerializerExtension):
    """What the served schema says, and the fields that a host's subclass declares besides."""

    target_class = "django_image_tasks.serializers.ExtensibleSerializer"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        cls = type(self.target)
        name = cls.__name__.removesuffix("Serializer")
        if cls.__module__ == "django_image_tasks.serializers":
            name = f"Image{name}"
        return f"New{name}" if direction == "request" else name

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        if direction == "request":
            return _new_task(auto_schema, self.get_name(auto_schema, direction))
        sent = dict(self.target.ours["properties"])
        # As a reference, so that drf-spectacular does not look for a name for these values.
        sent["status"] = component(auto_schema, "schemas", "ImageTaskStatus", sent["status"])
        mapped = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        in_list = self.target.ours is schemas.TASK_IN_LIST
        return {
            "type": "object",
            "description": "A task as a list shows it." if in_list else "A whole task.",
            "properties": {**sent, **mapped.get("properties", {}), **sent},
            "required": [name for name in sent if name not in LEFT_OUT_WHEN_UNSET],
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


def _new_task(auto_schema: AutoSchema, name: str) -> dict[str, Any]:
    """The body that asks for a task, of whichever type."""
    variants = {
        type_: _variant(auto_schema, name + camel(type_), type_)
        for type_ in registry.runnable_types()
    }
    if not variants:
        return dict(services.new_task_schema())
    mapping = {type_: variant["$ref"] for type_, variant in variants.items()}
    return {
        "description": "Asks for a task, of one type or another.",
        "oneOf": [*variants.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }


def _variant(auto_schema: AutoSchema, name: str, type_: str) -> Any:
    """A reference to the body that asks for a task of one type."""
    handler, known = registry.get_handler(type_), schemas.TASK["properties"]
    input_schema = {"description": known["input"]["description"], **handler.input_schema}
    ignored = [key for key in known if key not in WRITABLE]
    variant = {
        **services.new_task_schema(),
        "description": handler.title,
        "properties": {
            "type": {**known["type"], "const": type_},
            "input": hoist(auto_schema, f"{name}Input", input_schema),
            "name": known["name"],
        },
        "required": ["type", "input"],
        "patternProperties": {
            f"^({'|'.join(ignored)})$": {"description": "Read-only: taken, and ignored."}
        },
    }
    return component(auto_schema, "schemas", name, variant)
