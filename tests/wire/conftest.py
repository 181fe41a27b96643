from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED

SOURCE = {"import_from": "https://example.com/a.qcow2"}


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def api(user: User) -> APIClient:
    """A client that is ``user``, whatever the authentication classes would say."""
    api = APIClient()
    api.force_authenticate(user)
    return api


@pytest.fixture
def make_task(user: User) -> Callable[..., Task]:
    def make(**values: Any) -> Task:
        values = {"type": "import", "owner": str(user.pk), "input": SOURCE, **values}
        if values.get("status") in FINISHED:
            now = timezone.now()
            values = {"finished_at": now, "expires_at": now + timedelta(hours=48), **values}
        return Task.objects.create(**values)

    return make


@pytest.fixture
def create(api: APIClient) -> Callable[..., Any]:
    """Ask for an ``import`` task, with these keys of the body changed."""

    def create(**body: Any) -> Any:
        return api.post("/v2/tasks", {"type": "import", "input": SOURCE, **body}, format="json")

    return create
