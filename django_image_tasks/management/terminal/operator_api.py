"""The API's views, called in this process by the operator, who runs the command.

Each function returns what the API would send, and raises what the API would turn into an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from getpass import getuser
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from django_image_tasks import services
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.identifiers import ids_beginning_with, parse_uuid
from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.views import TaskViewSet


class OperatorViewSet(TaskViewSet):
    """The API's views for the operator, who sees and may change the tasks of every owner."""

    def visible_among(self, tasks: TaskQuerySet) -> TaskQuerySet:
        return tasks

    def check_object_permissions(self, request: Any, obj: Any) -> None:
        return

    def may_touch(self, owner: str) -> bool:
        return True

    @property
    def caller(self) -> str:
        return operator_name()


def list_tasks(query: Sequence[tuple[str, str]]) -> Any:
    view = _view("list", query=urlencode(query, errors="surrogateescape"))
    return view.list(view.request).data


def with_messages(tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The tasks of a list with their messages, which the API's lists leave out. One query."""
    rows = Task.objects.filter(pk__in=[task["id"] for task in tasks])
    messages = {str(pk): message for pk, message in rows.values_list("pk", "message")}
    return [{**task, "message": messages.get(task["id"], "")} for task in tasks]


def whole_id(text: str) -> str:
    """The id that begins with this text; the text itself if it is an id, or no task's.

    Raises InvalidInput if the ids of several tasks begin so.
    """
    ends = ids_beginning_with(text)
    if parse_uuid(text) or not ends:
        return text
    tasks = Task.objects.unexpired(timezone.now()).filter(pk__range=ends).order_by("pk")
    found = tasks.values_list("pk", flat=True)[:2]
    if len(found) > 1:
        raise InvalidInput(_("The ids of several tasks begin with %(text)s.") % {"text": text})
    return str(found[0]) if found else text


def get_task(pk: str) -> Any:
    view = _view("retrieve", pk)
    return view.retrieve(view.request).data


def create_task(type: str, input: Any, *, owner: str, name: str | None) -> Any:
    request_id = _view("create").request_id
    task = services.create_task(type, input, owner=owner, name=name, request_id=request_id)
    return represent(task)


def cancel_task(pk: str) -> Any:
    return represent(services.cancel_task(_view("cancel", pk).get_object(), operator_name()))


def retry_task(pk: str) -> Any:
    view = _view("retry", pk)
    return represent(services.retry_task(view.get_object(), request_id=view.request_id))


def act_on_many(action: str, query: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """Cancel or retry all the tasks of a query, and answer after each thousand."""
    text: str | None = urlencode(query, errors="surrogateescape")
    while text is not None:
        view = _view(f"{action}_many", query=text)
        answer = getattr(view, view.action)(view.request).data
        yield answer
        text = answer["next"].partition("?")[2] if "next" in answer else None


def represent(task: Task) -> Any:
    """The task as the API shows it."""
    return _view("retrieve").get_serializer(task).data


def operator_name() -> str:
    """The operating system's user, who need not be one of the project's."""
    try:
        return getuser()
    except (ImportError, KeyError, OSError):  # a container whose user has no name
        return "operator"


def _view(action: str, pk: str = "", query: str = "") -> OperatorViewSet:
    request = HttpRequest()
    request.method = "GET"
    request.META["QUERY_STRING"] = query
    request.GET = QueryDict(query)
    view = OperatorViewSet(action_map={"get": action}, kwargs={"pk": pk}, format_kwarg=None)
    view.request = view.initialize_request(request)
    return view
