"""``POST /v2/tasks``: what is taken, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.conftest import SOURCE

IMAGE_ID = "ABCDEFABCDEF4ABC8DEFABCDEFABCDEF"


def test_the_answer_is_the_whole_task(create: Callable[..., Any], user: User) -> None:
    response = create(name="label", input={**SOURCE, "image_id": IMAGE_ID})

    task = Task.objects.get()
    created_at = task.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert response.status_code == 201
    assert list(response.json().items()) == [
        ("id", str(task.pk)),
        ("input", {**SOURCE, "image_id": IMAGE_ID}),
        ("type", "import"),
        ("status", "pending"),
        ("owner", str(user.pk)),
        ("message", ""),
        ("result", None),
        ("created_at", created_at),
        ("updated_at", task.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("self", f"/v2/tasks/{task.pk}"),
        ("schema", "/v2/schemas/task"),
        ("image_id", str(UUID(IMAGE_ID))),
        ("request_id", response["x-openstack-request-id"]),
        ("user_id", str(user.pk)),
        ("name", "label"),
        ("progress", 0),
        ("attempts", 0),
    ]


def test_the_answer_is_what_is_shown_from_then_on(
    create: Callable[..., Any], api: APIClient
) -> None:
    created = create(name="label")

    assert api.get(created["Location"]).content == created.content


@pytest.mark.parametrize(
    ("path", "script", "location"),
    [
        ("/v2/tasks", "", "http://testserver/v2/tasks/{}"),
        ("/image/v2/tasks", "", "http://testserver/image/v2/tasks/{}"),
        ("/image/v2/tasks", "/script/v2", "http://testserver/script/v2/image/v2/tasks/{}"),
        ("/v2/tasks", "/\u00c3\u00a4", "http://testserver/%C3%A4/v2/tasks/{}"),
    ],
)
def test_location_is_absolute(api: APIClient, path: Any, script: Any, location: Any) -> None:
    body = {"type": "import", "input": SOURCE}

    response = api.post(path, body, format="json", SCRIPT_NAME=script)

    assert response["Location"] == location.format(Task.objects.get().pk)


def test_location_has_the_requests_scheme_and_host(api: APIClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["images.example"]
    body = {"type": "import", "input": SOURCE}

    response = api.post(
        "/v2/tasks", body, format="json", secure=True, HTTP_HOST="images.example:8443"
    )

    assert response["Location"].startswith("https://images.example:8443/v2/tasks/")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, ""),
        ({"name": "label"}, "label"),
        ({"name": "\U0001f4be" * 255}, "\U0001f4be" * 255),
        ({"input": {**SOURCE, "image_properties": {"name": "image"}}}, "image"),
        ({"name": "label", "input": {**SOURCE, "image_properties": {"name": "image"}}}, "label"),
        ({"name": "", "input": {**SOURCE, "image_properties": {"name": "image"}}}, ""),
        ({"input": {**SOURCE, "image_properties": {}}}, ""),
    ],
)
def test_name(create: Callable[..., Any], body: Any, name: Any) -> None:
    assert create(**body).json()["name"] == name


@pytest.mark.parametrize("value", [None, 7, "x", [], {"a": {"b": "\0"}}, True])
@pytest.mark.parametrize(
    "key",
    ["id", "status", "owner", "message", "result", "created_at", "updated_at", "self", "schema"]
    + ["image_id", "request_id", "user_id", "expires_at", "progress", "attempts"],
)
def test_read_only_keys_are_ignored_whatever_they_hold(
    create: Callable[..., Any], user: User, key: Any, value: Any
) -> None:
    response = create(**{key: value})

    assert response.status_code == 201
    task = Task.objects.get()
    assert (task.status, task.owner, task.message, task.progress) == (
        "pending",
        str(user.pk),
        "",
        0,
    )
    assert response.json().get(key) != {"a": {"b": "\0"}}


def test_the_times_are_now(create: Callable[..., Any]) -> None:
    before = datetime.now(UTC)

    create()

    task = Task.objects.get()
    assert before <= task.created_at <= task.updated_at <= datetime.now(UTC)


def test_a_task_costs_one_insert_and_the_question_for_its_turn(
    create: Callable[..., Any], user: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        create()


def test_the_task_is_handed_to_the_engine(
    create: Callable[..., Any], settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.IMAGE_TASKS = {
        "ENGINE": "django_image_tasks.engines.immediate",
        "HANDLERS": {"import": "tests.wire.handlers.Echo"},
    }
    with django_capture_on_commit_callbacks(execute=True):
        create(input={"a": 1})

    assert Task.objects.get().result == {"a": 1}


def test_a_handlers_own_line_is_the_answer(create: Callable[..., Any], settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": "tests.wire.handlers.Refusing"}}

    response = create()

    assert response.json()["badRequest"]["message"] == "Not on a Monday, <b>please</b>."
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://user:pw@example.com/", "The given uri must not contain credentials."),
        (
            "file:///etc/passwd",
            "File based imports are not allowed. Please use a non-local source of image data.",
        ),
        (
            "swift://example.com/",
            "The given uri is not valid. Please specify a valid uri from the following list of "
            "supported uri ['http', 'https']",
        ),
        (
            "http://localhost/",
            "URI for legacy import task does not pass filtering: http://localhost/",
        ),
    ],
)
def test_the_imports_own_lines(create: Callable[..., Any], uri: Any, message: Any) -> None:
    response = create(input={"import_from": uri})

    assert response.status_code == 400
    assert response.json()["badRequest"]["message"] == message
