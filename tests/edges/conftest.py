from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from django_image_tasks.models import Task


@pytest.fixture
def make_task(db: None) -> Callable[..., Task]:
    def make(**values: Any) -> Task:
        return Task.objects.create(**{"type": "import", "owner": "1", **values})

    return make


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who may look at tasks in the admin, and do no more."""
    user = User.objects.create_user("operator", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_task"))
    client = Client()
    client.force_login(user)
    return client
