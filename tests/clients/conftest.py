from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_started
from django.utils import timezone
from rest_framework.authtoken.models import Token

from django_image_tasks.models import Task
from tests.clients.tasks import MakeTasks

MOUNTS = {"root": "", "prefix": "/image"}
"""Where example_project/urls.py includes the app."""


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Clients find no clouds, caches or proxies but those a test gives them."""
    for name in os.environ:
        if name.startswith("OS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(params=MOUNTS.values(), ids=MOUNTS.keys())
def mount(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(live_server: Any, mount: str) -> str:
    """The endpoint that a client is given: no slash at its end, and no version."""
    return f"{live_server.url}{mount}"


@pytest.fixture
def user(transactional_db: None) -> User:
    return User.objects.create_user("dana")


@pytest.fixture
def token(user: User) -> str:
    return Token.objects.create(user=user).key


@pytest.fixture
def make_tasks(user: User) -> MakeTasks:
    """Creates so many tasks of the user's, a second apart, and returns them newest first."""

    def make(number: int, **values: Any) -> list[Task]:
        now = timezone.now()
        values = {"type": "import", "owner": str(user.pk)} | values
        return [
            Task.objects.create(created_at=now - timedelta(seconds=age), **values)
            for age in range(number)
        ]

    return make


@pytest.fixture
def pages(mount: str) -> Iterator[list[str]]:
    """The query strings of the requests for lists, as they come in."""
    queries: list[str] = []

    def note(environ: dict[str, str], **kwargs: Any) -> None:
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", f"{mount}/v2/tasks"):
            queries.append(environ["QUERY_STRING"])

    request_started.connect(note)
    yield queries
    request_started.disconnect(note)
