"""The shapes of a task on the wire (docs/reference/http.md, "A task" and "Creating a task")."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar

from django.utils.functional import cached_property
from rest_framework import serializers

from django_image_tasks import schemas, services
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.identifiers import dashed
from django_image_tasks.models import Task

__all__ = ["TaskSerializer", "TaskSummarySerializer"]

WRITABLE = ("type", "input", "name")


class ExtensibleSerializer(serializers.ModelSerializer[Task]):
    """Base of our two serializers: a host's subclass adds fields, and they are sent behind ours.

    Ours are written out by hand: REST framework's fields take several times as long for a list.
    """

    ours: ClassVar[schemas.Schema]
    """The JSON Schema of what is sent without a subclass."""

    class Meta:
        model = Task
        fields: ClassVar[Any] = ()

    @classmethod
    @cache
    def more_names(cls) -> list[str]:
        names = dict.fromkeys([*cls.Meta.fields, *cls._declared_fields])
        return [name for name in names if name not in cls.ours["properties"]]

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema of what is sent, the added fields included."""
        more = {name: {"description": _description(field)} for name, field in cls().more.items()}
        return {**cls.ours, "properties": {**cls.ours["properties"], **more}}

    def get_field_names(self, declared_fields: Any, info: Any) -> list[str]:
        # REST framework's own refuses a declared field that Meta.fields does not repeat.
        return list(dict.fromkeys([*self.Meta.fields, *declared_fields]))

    @cached_property
    def more(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The added fields, by name."""
        return {name: self.fields[name] for name in self.more_names()}

    def values_of_more(self, instance: Any) -> dict[str, Any]:
        values = {name: field.get_attribute(instance) for name, field in self.more.items()}
        return {
            name: None if value is None else self.more[name].to_representation(value)
            for name, value in values.items()
        }


class TaskSummarySerializer(ExtensibleSerializer):
    """A task as it stands in a list."""

    ours = schemas.TASK_IN_LIST
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
    :func:`wire_time` write them. ``None`` reads whole tasks; so does a subclass that adds fields
    and does not say here which columns they need.
    """

    class Meta(ExtensibleSerializer.Meta):
        fields: ClassVar[Any] = ("type", "status", "owner", "name", "progress")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.more_names() and "columns" not in vars(cls):
            cls.columns = None

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
        return task | self.values_of_more(instance) if self.more else task


class TaskSerializer(ExtensibleSerializer):
    """A whole task; creates one from a client's body.

    What may be in a new task is not decided here, where only the API would obey:
    :func:`~django_image_tasks.services.create_task` does, for every face.
    """

    ours = schemas.TASK

    class Meta(ExtensibleSerializer.Meta):
        fields: ClassVar[Any] = WRITABLE

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # DRF has words of its own for null; here it is just another body that is no object.
        return False, data

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The body less its read-only keys. Raises InvalidInput in the contract's words."""
        if not isinstance(data, dict):
            raise InvalidInput("Unexpected body type. Expected an object.")
        for key in ("type", "input"):
            if key not in data:
                raise InvalidInput(f"Task '{key}' is required")
        read_only = {*self.ours["properties"], *self.more} - set(WRITABLE)
        body = {key: value for key, value in data.items() if key not in read_only}
        if not body.keys() <= set(WRITABLE) or body.get("name", "") is None:
            # create_task() cannot be given such a body. It is refused in the words for any other.
            services.check_body(body)
        return body

    def run_validators(self, value: Any) -> None:
        # REST framework first makes every field, which took an eighth of a POST. A host's subclass
        # may have something to run.
        if type(self) is not TaskSerializer:
            super().run_validators(value)

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
            **self.values_of_more(instance),
        }


def _description(field: Any) -> str:
    return str(field.help_text or field.label or field.field_name)


def wire_time(time: datetime | str) -> str:
    """A time as the API writes it, also from a database's own text."""
    text = time if isinstance(time, str) else str(time.astimezone(UTC))
    return f"{text[:10]}T{text[11:19]}Z"
