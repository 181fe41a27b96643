from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.conftest import SOURCE


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
def task_defaults(user: User) -> dict[str, Any]:
    return {"type": "import", "owner": str(user.pk), "input": SOURCE}


@pytest.fixture
def create(api: APIClient) -> Callable[..., Any]:
    """Ask for an ``import`` task, with these keys of the body changed."""

    def create(**body: Any) -> Any:
        return api.post("/v2/tasks", {"type": "import", "input": SOURCE, **body}, format="json")

    return create
