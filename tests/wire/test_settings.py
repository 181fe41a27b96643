"""Every class of the wire can be the host's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import FormParser
from rest_framework.renderers import AdminRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.throttling import BaseThrottle
from rest_framework.versioning import BaseVersioning

from django_image_tasks.filters import TaskFilterSet, WordsFilter
from django_image_tasks.models import Task
from django_image_tasks.permissions import IsAuthenticatedOrNamed
from django_image_tasks.serializers import TaskSerializer, TaskSummarySerializer
from tests.wire.answers import error, names
from tests.wire.hosts import Nobody

HERE = "tests.wire.test_settings"


class AsAda(BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        return User.objects.get(username="ada"), None


class ReadOnly(IsAuthenticatedOrNamed):
    def has_permission(self, request: Any, view: Any) -> bool:
        return request.method == "GET"


class NotThis(IsAuthenticatedOrNamed):
    def has_object_permission(self, request: Any, view: Any, task: Any) -> bool:
        return task.name != "not this"


class NoThrottle(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        return True


class NoVersion(BaseVersioning):
    def determine_version(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        raise NotFound


class PlainRenderer(JSONRenderer):
    media_type = "text/plain"


class MessageFilterSet(TaskFilterSet):
    message = WordsFilter("message")


def refuse(body: Any) -> None:
    raise ValidationError("Not today.")


class PickySerializer(TaskSerializer):
    class Meta(TaskSerializer.Meta):
        validators = [refuse]


class LoudSerializer(TaskSerializer):
    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**super().to_representation(instance), "loud": True}


class MessageSerializer(TaskSummarySerializer):
    columns = (*TaskSummarySerializer.columns, "message")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**super().to_representation(instance), "message": instance.message}


class WholeTaskSerializer(TaskSummarySerializer):
    columns = None

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**super().to_representation(instance), "label": str(instance)}


def teapot(exc: Exception, context: Any) -> Response:
    return Response({"short": "stout"}, status=418)


@pytest.fixture
def use(settings: Any) -> Any:
    def use(name, value):
        settings.IMAGE_TASKS = {name: value}

    return use


def test_authentication_classes(client: Client, user: User, use: Any) -> None:
    use("AUTHENTICATION_CLASSES", [f"{HERE}.AsAda"])

    assert client.get("/v2/tasks").status_code == 200


def test_permission_classes(api: APIClient, create: Callable[..., Any], use: Any) -> None:
    use("PERMISSION_CLASSES", [f"{HERE}.ReadOnly"])

    assert api.get("/v2/tasks").status_code == 200
    assert error(create())[0] == 403


def test_a_permission_class_is_asked_about_the_task(
    api: APIClient, make_task: Callable[..., Task], use: Any
) -> None:
    use("PERMISSION_CLASSES", [f"{HERE}.NotThis"])
    this, other = make_task(name="this", status="failure"), make_task(name="not this")
    other.cancel("ada")

    assert api.get(f"/v2/tasks/{this.pk}").status_code == 200
    assert api.post(f"/v2/tasks/{this.pk}/actions/retry").status_code == 201
    assert error(api.get(f"/v2/tasks/{other.pk}"))[0] == 403
    for action in ("cancel", "retry"):
        assert error(api.post(f"/v2/tasks/{other.pk}/actions/{action}"))[0] == 403


def test_throttle_classes(api: APIClient, use: Any) -> None:
    use("THROTTLE_CLASSES", ["tests.wire.hosts.Throttle", f"{HERE}.NoThrottle"])

    assert api.get("/v2/tasks").status_code == 429


def test_renderer_classes(api: APIClient, use: Any) -> None:
    use("RENDERER_CLASSES", [f"{HERE}.PlainRenderer"])

    response = api.get("/v2/tasks")

    assert response["Content-Type"] == "text/plain"


def test_filterset_class(api: APIClient, make_task: Callable[..., Task], use: Any) -> None:
    use("FILTERSET_CLASS", f"{HERE}.MessageFilterSet")
    make_task(name="a", message="x")
    make_task(name="b", message="y")

    assert names(api.get("/v2/tasks?message=x")) == ["a"]


def test_serializer_class(create: Callable[..., Any], use: Any) -> None:
    use("SERIALIZER_CLASS", f"{HERE}.LoudSerializer")

    assert create().json()["loud"] is True


def test_a_hosts_serializer_may_have_validators(create: Callable[..., Any], use: Any) -> None:
    use("SERIALIZER_CLASS", f"{HERE}.PickySerializer")

    assert error(create()) == (400, "Not today.")


def test_list_serializer_class(
    api: APIClient, make_task: Callable[..., Task], use: Any, django_assert_num_queries: Any
) -> None:
    use("LIST_SERIALIZER_CLASS", f"{HERE}.MessageSerializer")
    make_task(message="x")
    make_task(message="y")

    with django_assert_num_queries(2):
        response = api.get("/v2/tasks")

    assert [task["message"] for task in response.json()["tasks"]] == ["y", "x"]


def test_a_list_serializer_class_of_whole_tasks(
    api: APIClient, make_task: Callable[..., Task], use: Any
) -> None:
    task = make_task(name="x", status="success")
    [summary] = api.get("/v2/tasks").json()["tasks"]
    use("LIST_SERIALIZER_CLASS", f"{HERE}.WholeTaskSerializer")

    assert api.get("/v2/tasks").json()["tasks"] == [{**summary, "label": str(task)}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("permission_classes", [Nobody]),
        ("renderer_classes", [AdminRenderer]),
        ("parser_classes", [FormParser]),
        ("pagination_class", CursorPagination),
        ("filter_backends", [SearchFilter]),
        ("versioning_class", NoVersion),
        ("metadata_class", None),
        ("content_negotiation_class", None),
    ],
)
def test_the_hosts_own_defaults_do_not_reach_us(
    api: APIClient,
    create: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    name: Any,
    value: Any,
) -> None:
    # REST framework reads its settings once, into the attributes of this class.
    monkeypatch.setattr(GenericAPIView, name, value)

    assert api.get("/v2/tasks").json()["tasks"] == []
    assert error(api.get("/v2/tasks/7"))[0] == 404
    assert create().status_code == 201
    assert api.options("/v2/tasks").status_code == 200


def test_a_host_may_have_no_anonymous_user(client: Client, db: None, settings: Any) -> None:
    settings.REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None}

    assert client.get("/versions").status_code == 200
    assert client.get("/v2/tasks").status_code == 401
    settings.IMAGE_TASKS = {"ANONYMOUS_OWNER": "commons"}
    assert client.get("/v2/tasks").status_code == 200


def test_the_hosts_own_exception_handler_does_not_reach_us(api: APIClient, settings: Any) -> None:
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{HERE}.teapot"}

    assert error(api.get("/v2/tasks/7"))[0] == 404
