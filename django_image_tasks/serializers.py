"""The shapes of a task on the wire (api.md, "A task" and "Create")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ParseError

from django_image_tasks import schemas, services
from django_image_tasks.identifiers import dashed
from django_image_tasks.models import Task

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
    """A whole task; creates one from a client's body.

    What may be in a new task is not decided here, where only the API would obey:
    :func:`~django_image_tasks.services.create_task` does, for every face.
    """

    class Meta:
        model = Task
        fields: ClassVar[Any] = WRITABLE

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # DRF has words of its own for null; here it is just another body that is no object.
        return False, data

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The body less its read-only keys. Raises ParseError in the contract's words."""
        if not isinstance(data, dict):
            raise ParseError("Unexpected body type. Expected an object.")
        for key in ("type", "input"):
            if key not in data:
                raise ParseError(f"Task '{key}' is required")
        read_only = schemas.TASK["properties"].keys() - set(WRITABLE)
        body = {key: value for key, value in data.items() if key not in read_only}
        if not body.keys() <= set(WRITABLE) or body.get("name", "") is None:
            # create_task() cannot be given such a body. It is refused in the words for any other.
            services.check_body(body)
        return body

    def create(self, validated_data: dict[str, Any]) -> Task:
        """Raises InvalidInput in the contract's words."""
        return services.create_task(**validated_data)

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


def wire_time(time: datetime | str) -> str:
    """A time as the API writes it, also from a database's own text."""
    text = time if isinstance(time, str) else str(time.astimezone(UTC))
    return f"{text[:10]}T{text[11:19]}Z"
