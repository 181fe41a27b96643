"""Our views as drf-spectacular shall see them."""

from __future__ import annotations

import re
from typing import Any

import uritemplate
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import is_jsonschema_compliant
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from django_image_tasks.conf import conf
from django_image_tasks.models import Task
from django_image_tasks.openapi import bodies, operations, responses
from django_image_tasks.openapi.components import hoist
from django_image_tasks.openapi.operations import Operation
from django_image_tasks.openapi.parameters import MarkerPaginationExtension
from django_image_tasks.views import SchemaView, TaskViewSet, VersionsView

REQUEST_ID = OpenApiParameter(
    "X-Openstack-Request-ID",
    location="header",
    description="Comes back behind `req-`, if it is 1 to 64 of `A-Za-z0-9._-`; any other is "
    "replaced.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    location="header",
    description="The `ETag` of an answer that the client has, or several. A 304 says that it "
    "still holds.",
)
PREFER = OpenApiParameter(
    "Prefer",
    location="header",
    description="`wait=30` holds the answer back until the task has ended (with `If-None-Match`: "
    "has changed), for at most 30 seconds, where the server allows it.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[ -~]{1,255}$"},
    "header",
    description="Any text that is new for each task: sent again with the same body, the request "
    "is answered with the task of the first.",
)
RETRIED = OpenApiParameter(
    "retried",
    {"type": "string", "enum": ["true", "false", ""]},
    description="`true` also retries tasks of which a retry waits, runs or has succeeded.",
)


class ImageSchema(AutoSchema):
    """Adds to drf-spectacular's own inspection what only we know."""

    view: Any

    @property
    def action(self) -> str | None:
        return getattr(self.view, "action", None)

    @property
    def known(self) -> Operation | None:
        """What is said of the operation; ``None`` for one that a subclass added."""
        match self.view:
            case TaskViewSet():
                return operations.TASKS.get(self.view.action)
            case SchemaView():
                return operations.SCHEMA._replace(id=f"show_{self.view.document}_schema")
            case VersionsView(status_code=300):
                return operations.VERSIONS._replace(id="list_versions_at_root", status=300)
            case VersionsView():
                return operations.VERSIONS
        return None

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        if not is_jsonschema_compliant():
            warn('django_image_tasks needs SPECTACULAR_SETTINGS["OAS_VERSION"] = "3.1.1"')
        operation = super().get_operation(*args, **kwargs)
        if operation and (known := self.known):
            operation |= {"summary": known.summary, "description": known.description}
            success = operation["responses"][str(known.status)]
            success["description"] = known.answer
            success["headers"] = responses.headers(self, *known.headers)
            for status in known.others:
                operation["responses"][str(status)] = responses.other(self, status)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            if known.status == 300:  # for linters, which miss a success otherwise
                operation["responses"]["default"] = responses.other(self, 500)
        return operation

    def get_operation_id(self) -> str:
        """The operation's own id, behind what the app's routes are mounted at."""
        if not self.known:
            return super().get_operation_id()
        mount = re.sub("(/v2/.*|/versions|/)$", "", self.path)
        return re.sub(r"\W+", "_", f"{mount}/{self.known.id}").lstrip("_")

    def get_tags(self) -> list[str]:
        return ["Image tasks" if isinstance(self.view, TaskViewSet) else "Image API"]

    def get_auth(self) -> list[Any]:
        schemes: list[Any] = []
        for scheme in super().get_auth():
            if scheme not in schemes:
                schemes.append(scheme)
        anonymous = conf.ANONYMOUS_OWNER is not None or not self.view.get_permissions()
        return [*schemes, {}] if anonymous and {} not in schemes else schemes

    def get_override_parameters(self) -> list[Any]:
        answered = self.known.headers if self.known else ()
        asked = {"ETag": IF_NONE_MATCH, "Preference-Applied": PREFER}
        headers = [parameter for name, parameter in asked.items() if name in answered]
        text = "The task's id; its dashes may be left out."
        ids = [
            OpenApiParameter(name, OpenApiTypes.UUID, "path", description=text)
            for name in uritemplate.variables(self.path)
            if name in ("id", "pk")
        ]
        own = {"create": [IDEMPOTENCY_KEY], "retry_many": [RETRIED]}.get(self.action or "", [])
        return [REQUEST_ID, *headers, *own, *ids]

    def get_filter_backends(self) -> Any:
        return self.view.filter_backends if self.acts_on_many else super().get_filter_backends()

    def _get_pagination_parameters(self) -> Any:
        if self.acts_on_many:
            return MarkerPaginationExtension(None).get_schema_operation_parameters(self)
        return super()._get_pagination_parameters()

    @property
    def acts_on_many(self) -> bool:
        return getattr(self.view, "acts_on_many", False)

    def get_request_serializer(self) -> Any:
        is_action = self.acts_on_many or self.action in ("cancel", "retry")
        return {} if is_action else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        if self.known and self.known.document:
            return {self.known.status: hoist(self, *self.known.document)}
        serializer = super().get_response_serializers()
        return {self.known.status: serializer} if self.known else serializer

    def get_examples(self) -> list[OpenApiExample]:
        return bodies.examples() if self.action == "create" else super().get_examples()

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}List"


class ViewExtension(OpenApiViewExtension):
    """Lends a view of ours, or a subclass of it, the description above."""

    target_class = "django_image_tasks.views.ImageAPIView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        described = {"schema": ImageSchema(), "queryset": Task.objects.none()}
        return type(self.target.__name__, (self.target,), described)
