"""The API, asked from within by whoever has the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from getpass import getuser
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.views import TaskViewSet

Query = list[tuple[str, str]]
"""The parameters of a list, in the order they were given."""


class Operator:
    """Nobody of the database's users: the operating system's."""

    pk = None
    is_authenticated = True

    def get_username(self) -> str:
        try:
            return getuser()
        except (ImportError, KeyError, OSError):  # a container whose user has no name
            return "operator"

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return True


class OperatorViewSet(TaskViewSet):
    """The API's own views for somebody who sees every owner's tasks and may touch them all."""

    def visible_among(self, tasks: TaskQuerySet) -> TaskQuerySet:
        return tasks

    def get_touchable(self) -> Task:
        return self.get_object()

    def check_object_permissions(self, request: Any, obj: Any) -> None:
        return

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {}  # a Location needs a host


def ask(action: str, *, pk: str = "", query: Query | None = None) -> Any:
    """What the API's action answers with. Raises what the API would turn into an error."""
    view = _view(action, pk, urlencode(query or [], errors="surrogateescape"))
    return getattr(view, action)(view.request, pk=pk).data


def create(body: Mapping[str, Any], *, owner: str) -> Any:
    """A new task, on its way to the queue."""
    view = _view("create")
    serializer = view.get_serializer(data=body)
    serializer.is_valid(raise_exception=True)
    serializer.save(owner=owner, user_id="", request_id=view.request_id)
    return serializer.data


def whole(task: Task) -> Any:
    """The task as the API shows it."""
    return _view("retrieve").get_serializer(task).data


def _view(action: str, pk: str = "", query: str = "") -> OperatorViewSet:
    request = HttpRequest()
    request.method = "GET"
    request.META["QUERY_STRING"] = query
    request.GET = QueryDict(query)
    view = OperatorViewSet(action_map={"get": action}, kwargs={"pk": pk}, format_kwarg=None)
    view.request = view.initialize_request(request)
    user: Any = Operator()
    view.request.user = user
    return view
