"""Errors: OpenStack's nested form, for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.test import APIClient

from django_image_tasks.exception_handler import error_response
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.models import Task
from tests.wire.answers import error


@pytest.mark.parametrize(
    ("status", "key", "title"),
    [
        (400, "badRequest", "Bad Request"),
        (401, "unauthorized", "Unauthorized"),
        (403, "forbidden", "Forbidden"),
        (404, "itemNotFound", "Not Found"),
        (405, "badMethod", "Method Not Allowed"),
        (406, "notAcceptable", "Not Acceptable"),
        (409, "conflictingRequest", "Conflict"),
        (411, "lengthRequired", "Length Required"),
        (413, "requestTooLarge", "Request Entity Too Large"),
        (415, "badMediaType", "Unsupported Media Type"),
        (429, "overLimit", "Too Many Requests"),
        (500, "imageFault", "Internal Server Error"),
        (503, "serviceUnavailable", "Service Unavailable"),
        (418, "badRequest", "Bad Request"),
        (507, "imageFault", "Internal Server Error"),
    ],
)
def test_keys(status: Any, key: Any, title: Any) -> None:
    exception = APIException("text")
    exception.status_code = status

    response = error_response(exception)

    assert response.status_code == status
    assert list(response.data) == [key]
    assert list(response.data[key].items()) == [
        ("code", status),
        ("title", title),
        ("message", "text"),
    ]


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ("text", "text"),
        (["first", "second"], "first"),
        ({"a": ["text"]}, "a: text"),
        ({"a": {"b": ["text"]}}, "a.b: text"),
        ({"non_field_errors": ["text"]}, "text"),
        ([{"a": ["text"]}], "a: text"),
    ],
)
def test_the_first_of_drfs_details_is_the_message(detail: Any, message: Any) -> None:
    response = error_response(ValidationError(detail))

    assert response.data["badRequest"]["message"] == message
    assert not isinstance(response.data["badRequest"]["message"], ErrorDetail | list)


def test_markup_is_not_touched(api: APIClient) -> None:
    response = api.get("/v2/tasks?type=<b>")

    assert error(response) == (400, "Invalid type value: <b>")
    assert b"<b>" in response.content


def test_an_anonymous_client_is_told_how_to_authenticate(client: Client, db: None) -> None:
    response = client.get("/v2/tasks")

    assert error(response) == (401, "Authentication credentials were not provided.")
    assert response["WWW-Authenticate"] == 'X-Auth-Token realm="image"'


def test_a_throttled_client_is_told_when_to_come_back(api: APIClient, settings: Any) -> None:
    settings.IMAGE_TASKS = {"THROTTLE_CLASSES": ["tests.wire.hosts.Throttle"]}

    response = api.get("/v2/tasks")

    assert error(response)[0] == 429
    assert response["Retry-After"] == "3"


def test_refusal_comes_before_any_parameter(client: Client, api: APIClient, settings: Any) -> None:
    settings.IMAGE_TASKS = {"PERMISSION_CLASSES": ["tests.wire.hosts.Nobody"]}

    assert error(client.get("/v2/tasks?limit=x"))[0] == 401
    assert error(api.get("/v2/tasks?limit=x")) == (403, "Nobody may.")


@pytest.mark.urls("tests.wire.hosts")
def test_the_hosts_own_views_keep_their_format(api: APIClient) -> None:
    assert api.get("/own").json() == {"detail": "Not found."}
    assert error(api.get("/v2/tasks/7"))[0] == 404


# Django's own refusals


def test_too_many_fields(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3

    code, message = error(api.get("/v2/tasks?a&b&c&d"))

    assert code == 400
    assert "DATA_UPLOAD_MAX_NUMBER_FIELDS" in message


@pytest.fixture
def no_middleware(settings: Any) -> None:
    """Without Django's CommonMiddleware a forged Host gets as far as us."""
    settings.MIDDLEWARE = []


@pytest.mark.parametrize("host", ["evil.example", "a b", "x" * 10_000, "\xe9", "[::1", "a:b:c", ""])
@pytest.mark.parametrize("path", ["/v2/tasks", "/versions", "/", "/v2/schemas/task"])
def test_a_forged_host(api: APIClient, no_middleware: Any, path: Any, host: Any) -> None:
    assert error(api.get(path, HTTP_HOST=host))[0] == 400


def test_a_forged_host_makes_no_task(api: APIClient, no_middleware: Any) -> None:
    body = {"type": "import", "input": {"import_from": "https://example.com/"}}

    response = api.post("/v2/tasks", body, format="json", HTTP_HOST="evil.example")

    assert error(response)[0] == 400
    assert not Task.objects.exists()


def test_a_suspicious_operation(api: APIClient, settings: Any) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.suspicious_owner"}

    assert error(api.get("/v2/tasks")) == (400, "Not from there.")


def write_and_refuse(task: Task) -> None:
    """As a host's validator that keeps a record of its own."""
    User.objects.create(username="written")
    raise InvalidInput("Not today.")


def test_with_atomic_requests_an_error_takes_back_what_was_written(
    transactional_db: None,
    api: APIClient,
    create: Callable[..., Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    settings.IMAGE_TASKS = {"TASK_VALIDATOR": f"{__name__}.write_and_refuse"}

    assert error(create()) == (400, "Not today.")

    assert not User.objects.filter(username="written").exists()
