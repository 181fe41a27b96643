"""Our views as drf-spectacular shall see them."""

from __future__ import annotations

import re
from typing import Any

import uritemplate
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import is_jsonschema_compliant
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from django_image_tasks.conf import conf
from django_image_tasks.models import Task
from django_image_tasks.openapi import bodies, operations, responses
from django_image_tasks.openapi.operations import Operation
from django_image_tasks.openapi.parameters import UUID


class ImageSchema(AutoSchema):
    """Adds to drf-spectacular's own inspection what only we know."""

    view: Any
    tag = "Image tasks"

    @property
    def known(self) -> Operation | None:
        """What is said of the operation; ``None`` for one that a subclass added. Abstract."""
        raise NotImplementedError

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        if not is_jsonschema_compliant():
            warn('django_image_tasks needs SPECTACULAR_SETTINGS["OAS_VERSION"] = "3.1.1"')
        operation = super().get_operation(*args, **kwargs)
        if operation and self.known:
            self._complete(operation, self.known)
        return operation

    def _complete(self, operation: dict[str, Any], known: Operation) -> None:
        success = operation["responses"][str(known.status)]
        success["description"] = known.answer
        success["headers"] = responses.headers(self, **self._headers_of(known))
        if known.status == 200:
            operation["responses"]["304"] = responses.not_modified(self)
        for status in sorted((*known.errors, *operations.ALWAYS)):
            operation["responses"][str(status)] = responses.error(self, status)
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True

    def _headers_of(self, known: Operation) -> dict[str, Any]:
        """The headers that come with success, besides those of every answer."""
        found = {"ETag": responses.entity_tag(self)} if known.status == 200 else {}
        created = {"Location": responses.LOCATION} if known.status == 201 else {}
        later = {"Retry-After": responses.RETRY_AFTER} if known.shows_task else {}
        waited = found and later and {"Preference-Applied": responses.PREFERENCE_APPLIED}
        return found | created | later | waited

    def get_operation_id(self) -> str:
        return re.sub(r"actions_(\w+)_create$", r"\1", super().get_operation_id())

    def get_tags(self) -> list[str]:
        return [self.tag]

    def get_summary(self) -> str | None:
        return self.known.summary if self.known else super().get_summary()

    def get_description(self) -> str:  # type: ignore[override]
        return self.known.description if self.known else super().get_description()

    def get_auth(self) -> list[Any]:
        schemes: list[Any] = []
        for scheme in super().get_auth():
            if scheme not in schemes:
                schemes.append(scheme)
        anonymous = conf.ANONYMOUS_OWNER is not None or not self.view.get_permissions()
        return [*schemes, {}] if anonymous and {} not in schemes else schemes

    def get_override_parameters(self) -> list[Any]:
        request_id = OpenApiParameter(
            "X-Openstack-Request-ID",
            location="header",
            description="Comes back behind `req-`, if it is 1 to 64 of `A-Za-z0-9._-`; "
            "any other is replaced.",
        )
        tags = OpenApiParameter(
            "If-None-Match",
            location="header",
            description="The `ETag` of an answer that the client has, or several. A 304 says that "
            "it still holds.",
        )
        is_tagged = self.known is not None and self.known.status == 200
        return [request_id, tags] if is_tagged else [request_id]


class TaskSchema(ImageSchema):
    """The operations on tasks."""

    @property
    def known(self) -> Operation | None:
        return operations.TASKS.get(self.view.action)

    def get_override_parameters(self) -> list[Any]:
        parameters = super().get_override_parameters()
        if names := [name for name in uritemplate.variables(self.path) if name in ("id", "pk")]:
            uuid = {"type": "string", "pattern": f"^{UUID}$"}
            text = "The task's id, in either spelling of a UUID."
            parameters.append(OpenApiParameter(names[-1], uuid, "path", description=text))
        if self.view.action == "retrieve":
            text = (
                "`wait=30` holds the answer back until the task has ended (with `If-None-Match`: "
            )
            text += "has changed), for at most 30 seconds, where the server allows it."
            parameters.append(OpenApiParameter("Prefer", location="header", description=text))
        return parameters

    def get_request_serializer(self) -> Any:
        return {} if self.view.action in ("cancel", "retry") else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        serializer = super().get_response_serializers()
        return {self.known.status: serializer} if self.known else serializer

    def get_examples(self) -> list[OpenApiExample]:
        return bodies.examples() if self.view.action == "create" else super().get_examples()

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}List"


class SchemaSchema(ImageSchema):
    """The operations that serve a JSON Schema."""

    tag = "Image API"
    known = operations.SCHEMA

    def get_response_serializers(self) -> Any:
        return {200: operations.SCHEMA_DOCUMENT}


class VersionsSchema(ImageSchema):
    """The operation that serves the versions document."""

    tag = "Image API"

    @property
    def known(self) -> Operation:
        return operations.VERSIONS._replace(status=self.view.status_code)

    def get_response_serializers(self) -> Any:
        return {self.view.status_code: operations.VERSIONS_DOCUMENT}


class TaskViewExtension(OpenApiViewExtension):
    """Lends a view of ours, or a subclass of it, the description above."""

    target_class = "django_image_tasks.views.TaskViewSet"
    match_subclasses = True
    schema_class: type[ImageSchema] = TaskSchema

    def view_replacement(self) -> Any:
        described = {"schema": self.schema_class(), "queryset": Task.objects.none()}
        return type(self.target.__name__, (self.target,), described)


class SchemaViewExtension(TaskViewExtension):
    """The same for the views of JSON Schemas."""

    target_class = "django_image_tasks.views.SchemaView"
    schema_class = SchemaSchema


class VersionsViewExtension(TaskViewExtension):
    """The same for the versions document."""

    target_class = "django_image_tasks.views.VersionsView"
    schema_class = VersionsSchema
