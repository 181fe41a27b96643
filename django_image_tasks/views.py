"""The API's views (docs/reference/http.md, "Routes")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import DataError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from rest_framework import mixins
from rest_framework.exceptions import (
    AuthenticationFailed,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
)
from rest_framework.metadata import SimpleMetadata
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from django_image_tasks import bulk, entity_tags, schemas, services, tenancy
from django_image_tasks.authentication import KeystoneAuthentication, XAuthTokenAuthentication
from django_image_tasks.conf import conf
from django_image_tasks.database_faults import atomic_request, begins_transactions
from django_image_tasks.exception_handler import exception_handler
from django_image_tasks.filters import TaskFilterBackend, check_choice, wants_retried
from django_image_tasks.identifiers import idempotency_key_of, parse_uuid, request_id_of
from django_image_tasks.models import Task
from django_image_tasks.negotiation import ContentNegotiation
from django_image_tasks.pagination import ActionPagination, MarkerPagination
from django_image_tasks.parsers import JSONParser, check_body, measure_body
from django_image_tasks.permissions import sees_every_owner
from django_image_tasks.preference import wait_in
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import UNFINISHED

__all__ = ["SchemaView", "TaskViewSet", "VersionsView"]

NO_DELETE = (
    "This operation is currently not permitted on Glance Tasks. They are auto deleted after "
    "reaching the time based on their expires_at property."
)
VARY = "Accept, X-Auth-Token, Authorization, Cookie"


def retry_after(age: timedelta) -> int:
    """Seconds after which to ask for a task of this age again: the longer it takes, the fewer."""
    return min(60, max(1, int(age.total_seconds()) // 4))


class ImageAPIView(APIView):
    """What all our views share. The settings of the project's own API do not reach them."""

    versioning_class = None
    metadata_class = SimpleMetadata
    content_negotiation_class = ContentNegotiation
    parser_classes = [JSONParser]
    shows: str = "document"
    """What a page for browsers is about: ``list``, ``task``, or any other ``document``."""
    fault: Exception | None = None
    """What went wrong in an answer that was given up; told in its place."""

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        return begins_transactions(super().as_view(*args, **kwargs))

    def get_authenticators(self) -> list[Any]:
        ours = [KeystoneAuthentication, XAuthTokenAuthentication]
        classes: Any = conf.AUTHENTICATION_CLASSES
        if classes is None:
            classes = [*ours, *api_settings.DEFAULT_AUTHENTICATION_CLASSES]
        return [authentication() for authentication in classes]

    def get_permissions(self) -> list[Any]:
        return [permission() for permission in conf.PERMISSION_CLASSES]

    def get_throttles(self) -> list[Any]:
        classes = conf.THROTTLE_CLASSES
        return super().get_throttles() if classes is None else [throttle() for throttle in classes]

    @property
    def renderer_classes(self) -> list[type]:  # type: ignore[override]
        return conf.RENDERER_CLASSES

    def get_exception_handler(self) -> Any:
        return exception_handler

    def permission_denied(
        self, request: Request, message: str | None = None, code: str | None = None
    ) -> Any:
        """Raises NotAuthenticated for a caller nobody knows, else PermissionDenied."""
        if not request.user.is_authenticated:
            raise NotAuthenticated
        raise PermissionDenied(message, code)

    def get_authenticate_header(self, request: Request) -> str:
        return super().get_authenticate_header(request) or 'X-Auth-Token realm="image"'

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer for what may fail around the view, too: the transaction, and the page."""
        try:
            with atomic_request():
                response = super().dispatch(request, *args, **kwargs)
                if isinstance(response, Response):
                    return entity_tags.tag(request, response.render())
                return response
        except Exception as error:
            self.fault = error
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.request_id = request_id_of(request)
        measure_body(request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A forged Host is refused before anything is written, and not when the answer needs it.
        request.get_host()

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks. Raises what the classes raise, after making the caller anonymous."""
        try:
            if self.fault:
                raise self.fault
            super().perform_authentication(request)
        except Exception as error:
            # Or else the page that tells the error asks once more who is looking.
            request.user = AnonymousUser()
            if isinstance(error, DataError) and not self.fault:
                # PostgreSQL will not even look for a user whose name has a NUL in it.
                raise AuthenticationFailed from None
            raise
        if request.user is None:  # REST framework's setting UNAUTHENTICATED_USER may say so
            request.user = AnonymousUser()

    @property
    def default_response_headers(self) -> dict[str, str]:
        # Shared caches know neither our token's header nor our owners.
        private = {"Cache-Control": "private, no-cache", "Vary": VARY}
        request_id = {"x-openstack-request-id": self.request_id}
        return super().default_response_headers | private | request_id


class TaskViewSet(
    mixins.ListModelMixin,
    ImageAPIView,
    GenericViewSet[Task],
):
    """The tasks that the caller sees: list, show, create, cancel and retry them."""

    filter_backends = [TaskFilterBackend]

    filterset: Any = None
    """The FilterSet that read the query of a list, which may be a wrong one."""

    @property
    def pagination_class(self) -> type:  # type: ignore[override]
        return ActionPagination if self.acts_on_many else MarkerPagination

    @property
    def acts_on_many(self) -> bool:
        """Whether the query says which tasks are acted on."""
        return self.action in ("cancel_many", "retry_many")

    @property
    def filterset_class(self) -> type:
        return conf.FILTERSET_CLASS

    @property
    def shows(self) -> str:  # type: ignore[override]
        if self.acts_on_many:
            return "document"
        return {"list": "list", "metadata": "document"}.get(self.action, "task")

    @cached_property
    def owner(self) -> str | None:
        """The owner that the request acts for: the host's function is asked once a request."""
        return tenancy.get_owner(self.request)

    @cached_property
    def sees_every_owner(self) -> bool:
        return sees_every_owner(self.request.user)

    @property
    def caller(self) -> str:
        """The name that a cancelled task gives."""
        return self.request.user.get_username() or "anonymous"

    def may_touch(self, owner: str) -> bool:
        """Whether the request may cancel and retry the tasks of this owner that it sees."""
        return owner == self.owner or self.request.user.has_perm("django_image_tasks.change_task")

    def get_serializer_class(self) -> type[BaseSerializer[Task]]:
        cls: type[BaseSerializer[Task]] = (
            conf.LIST_SERIALIZER_CLASS
            if self.action == "list" or self.acts_on_many
            else conf.SERIALIZER_CLASS
        )
        return cls

    def get_visible(self) -> TaskQuerySet:
        """The tasks that the request may see, expired ones included."""
        return self.visible_among(Task.objects.all())

    def get_queryset(self) -> Any:
        columns = getattr(self.get_serializer_class(), "columns", None)
        tasks = Task.objects.rows(columns) if columns else Task.objects.all()
        return self.visible_among(tasks).unexpired(timezone.now())

    def visible_among(self, tasks: TaskQuerySet) -> TaskQuerySet:
        """Those of the tasks that the request may see."""
        return tasks.visible_to(self.owner, every_owner=self.sees_every_owner)

    def get_object(self) -> Task:
        """The task that the path names. Raises NotFound if the caller sees none.

        It may have been created a moment ago, so that no replica knows of it.
        """
        pk = parse_uuid(self.kwargs["pk"])
        tasks = self.get_queryset().for_deciding()
        task: Task | None = next(iter(tasks.with_id(pk)), None) if pk else None
        if task is None:
            raise NotFound(f"Could not find task {self.kwargs['pk']}")
        self.check_object_permissions(self.request, task)
        return task

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        task = self.get_object()
        response = self.answer_with(task)
        if wait := wait_in(request):
            response["Preference-Applied"] = f"wait={wait.seconds}"
            if task.status in UNFINISHED:
                wait.task, wait.seen = task.pk, task.updated_at
        return response

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a task. Raises PermissionDenied for a caller without an owner."""
        if self.owner is None:
            raise PermissionDenied("Tasks belong to an owner, and this request has none.")
        check_body(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        return self.answer_with(cast(Task, serializer.instance), status=201)

    def perform_create(self, serializer: BaseSerializer[Task]) -> None:
        serializer.save(
            owner=self.owner,
            user_id=tenancy.user_id(self.request),
            request_id=self.request_id,
            idempotency_key=idempotency_key_of(self.request),
        )

    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        task = self.get_touchable()
        services.cancel_task(task, self.caller)
        return self.answer_with(task, status=202)

    def retry(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        task = services.retry_task(
            self.get_touchable(), user_id=tenancy.user_id(request), request_id=self.request_id
        )
        return self.answer_with(task, status=201)

    def answer_with(self, task: Task, *, status: int = 200) -> Response:
        """The whole task, and when to ask for it again if it has not ended."""
        data = self.get_serializer(task).data
        headers = self.get_success_headers(data) if status == 201 else {}
        if task.status in UNFINISHED:
            headers["Retry-After"] = str(retry_after(timezone.now() - task.created_at))
        return Response(data, status=status, headers=headers)

    def cancel_many(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel the tasks that a list with this query would show."""
        ids = self.get_chosen()
        steps = [*bulk.cancel_tasks(ids, self.caller)]
        ended, asked = (sum(len(step[part]) for step in steps) for part in (0, 1))
        return self.answer_with_counts(cancelled=ended, stopping=asked)

    def retry_many(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Retry the failed ones among the tasks that a list with this query would show."""
        ids, again = self.get_chosen("retried"), wants_retried(request)
        steps = bulk.retry_tasks(
            ids, user_id=tenancy.user_id(request), request_id=self.request_id, again=again
        )
        return self.answer_with_counts(retried=sum(map(len, steps)))

    def get_chosen(self, *more: str) -> list[UUID]:
        """The ids of the tasks that the query chooses, less those that the caller may not touch.

        Raises InvalidInput for a query that may be meant for other tasks than it chooses.
        """
        check_choice(self.request, self.filterset_class, more)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return [UUID(str(task.id)) for task in page or () if self.may_touch(task.owner)]

    def answer_with_counts(self, **counts: int) -> Response:
        skipped = len(self.paginator.page) - sum(counts.values())  # type: ignore[union-attr]
        return self.get_paginated_response(counts | {"skipped": skipped})

    def get_touchable(self) -> Task:
        """The task that the path names, if the caller may cancel and retry it."""
        task = self.get_object()
        if not self.may_touch(task.owner):
            self.permission_denied(self.request)
        return task

    def get_success_headers(self, data: Any) -> dict[str, str]:
        root = self.request.path.rpartition("/v2/")[0]
        return {"Location": self.request.build_absolute_uri(root + data["self"])}

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Raises MethodNotAllowed, with Glance's own words where somebody tries to delete."""
        on_task = "retrieve" in self.action_map.values()
        detail = NO_DELETE if request.method == "DELETE" and on_task else None
        raise MethodNotAllowed(str(request.method), detail)


class SchemaView(ImageAPIView):
    """A JSON Schema of what this API sends or takes."""

    document = ""
    """``task``, ``tasks`` or ``image``."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_document())

    def get_document(self) -> Any:
        """The schema, with the fields that a host's own serializers declare."""
        match self.document:
            case "task":
                return conf.SERIALIZER_CLASS.json_schema()
            case "tasks":
                return schemas.tasks(conf.LIST_SERIALIZER_CLASS.json_schema())
            case _:
                return schemas.IMAGE


class VersionsView(ImageAPIView):
    """Where the API is, for clients that find their own way; needs no authentication."""

    status_code = 200

    def get_authenticators(self) -> list[Any]:
        return []

    def get_permissions(self) -> list[Any]:
        return []

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        root = request.path.removesuffix("versions").rstrip("/") + "/"
        link = {"rel": "self", "href": request.build_absolute_uri(f"{root}v2/")}
        versions = [
            {"id": "v2.2", "status": "CURRENT", "links": [link]},
            {"id": "v2.1", "status": "SUPPORTED", "links": [link]},
            {"id": "v2.0", "status": "SUPPORTED", "links": [link]},
        ]
        return Response({"versions": versions}, status=self.status_code)
