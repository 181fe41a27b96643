"""The same answers over ASGI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient
from rest_framework.authtoken.models import Token

from django_image_tasks.models import Task
from tests.wire.answers import error, ids


@pytest.fixture
def asgi(user: User) -> Any:
    token = Token.objects.create(user=user).key

    @async_to_sync
    async def request(*args):
        return await AsyncClient().generic(*args, headers={"X-Auth-Token": token})

    return request


def test_links_keep_what_was_sent(asgi: Any, make_task: Callable[..., Task]) -> None:
    newer, older = reversed([make_task() for _ in range(2)])

    response = asgi("GET", "/v2/tasks?limit=1&x=%C3%A4+%FF&ä")

    assert ids(response) == [str(newer.pk)]
    assert response.json()["next"] == (f"/v2/tasks?limit=1&x=%C3%A4+%FF&%C3%A4&marker={newer.pk}")
    assert ids(asgi("GET", response.json()["next"])) == [str(older.pk)]


def test_create(asgi: Any) -> None:
    body = b'{"type": "import", "input": {"import_from": "https://example.com/"}}'

    response = asgi("POST", "/v2/tasks", body, "application/json")

    assert response.status_code == 201
    assert response["Location"] == f"http://testserver/v2/tasks/{response.json()['id']}"


def test_errors(asgi: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    assert error(asgi("POST", "/v2/tasks", b"", "application/json"))[0] == 400
    assert error(asgi("POST", "/v2/tasks", b"x" * 11, "application/json"))[0] == 413
    assert error(asgi("GET", "/v2/tasks/7")) == (404, "Could not find task 7")
