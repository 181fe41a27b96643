"""The shapes of a task on the wire (api.md, "A task" and "Create")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ParseError

from django_image_tasks import schemas
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import dashed, parse_uuid
from django_image_tasks.models import Task
from django_image_tasks.storable import check_storable

WRITABLE = ("type", "input", "name")


class TaskSummarySerializer(serializers.ModelSerializer[Task]):
    """A task as it stands in a list."""

    columns: ClassVar[tuple[str, ...] | None] = (
        "id",
        "type",
        "status",
        "owner",
        "created_at",
        "updated_at",
        "expires_at",
        "name",
        "progress",
    )
    """What a list reads from the database; a subclass that shows more adds to it.

    The rows are named tuples, in which ids and times are text: :func:`~.identifiers.dashed` and
    :func:`wire_time` write them. ``None`` reads whole tasks, for a subclass that needs those.
    """

    class Meta:
        model = Task
        fields: ClassVar[Any] = ("type", "status", "owner", "name", "progress")

    def to_representation(self, instance: Task) -> dict[str, Any]:
        pk = dashed(instance.id)
        task = {
            "id": pk,
            "type": instance.type,
            "status": instance.status,
            "owner": instance.owner,
            "created_at": wire_time(instance.created_at),
            "updated_at": wire_time(instance.updated_at),
            "self": f"/v2/tasks/{pk}",
            "schema": "/v2/schemas/task",
        }
        if instance.expires_at:
            task["expires_at"] = wire_time(instance.expires_at)
        task["name"] = instance.name
        task["progress"] = instance.progress
        return task


class TaskSerializer(serializers.ModelSerializer[Task]):
    """A whole task; creates one from a client's body."""

    class Meta:
        model = Task
        fields: ClassVar[Any] = WRITABLE

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # DRF has words of its own for null; here it is just another body that is no object.
        return False, data

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The model's values. Raises ParseError in the contract's words and order."""
        try:
            return self.validate_body(data)
        except InvalidInput as error:
            raise ParseError(str(error)) from None

    def validate_body(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise InvalidInput("Unexpected body type. Expected an object.")
        for key in ("type", "input"):
            if key not in data:
                raise InvalidInput(f"Task '{key}' is required")
        body = {
            key: data[key]
            for key in data
            if key in WRITABLE or key not in schemas.TASK["properties"]
        }
        _check_storable(body)
        schemas.check(body, schemas.new_task())
        handler = registry.get_handler(body["type"])
        schemas.check(body["input"], handler.input_schema, where="input")
        handler.validate(body["input"])
        return {
            "type": body["type"],
            "input": body["input"],
            "name": body.get("name", _name_of_image(body["input"])),
            "image_id": _image_id(body["input"]),
        }

    def to_representation(self, instance: Task) -> dict[str, Any]:
        task = {
            "id": str(instance.pk),
            "input": instance.input,
            "type": instance.type,
            "status": instance.status,
            "owner": instance.owner,
            "message": instance.message,
            "result": instance.result,
            "created_at": wire_time(instance.created_at),
            "updated_at": wire_time(instance.updated_at),
            "self": f"/v2/tasks/{instance.pk}",
            "schema": "/v2/schemas/task",
        }
        for key in ("image_id", "request_id", "user_id"):
            if value := getattr(instance, key):
                task[key] = value
        if instance.expires_at:
            task["expires_at"] = wire_time(instance.expires_at)
        return task | {
            "name": instance.name,
            "progress": instance.progress,
            "attempts": instance.attempts,
        }


def _check_storable(body: Any) -> None:
    try:
        check_storable(body)
    except InvalidInput as error:
        raise schemas.mismatch(f"body: {error}") from None


def wire_time(time: datetime | str) -> str:
    """A time as the API writes it, also from a database's own text."""
    text = time if isinstance(time, str) else str(time.astimezone(UTC))
    return f"{text[:10]}T{text[11:19]}Z"


def _name_of_image(input: Mapping[str, Any]) -> str:
    properties = input.get("image_properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    return name[:255] if isinstance(name, str) else ""


def _image_id(input: Mapping[str, Any]) -> str:
    image_id = input.get("image_id")
    return str(parse_uuid(image_id) or "") if isinstance(image_id, str) else ""
