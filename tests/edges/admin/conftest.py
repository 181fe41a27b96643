from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

Rights = Callable[..., Client]


@pytest.fixture
def user_with(db: None) -> Rights:
    def make(*codenames: str) -> Client:
        user = User.objects.create_user("_".join(codenames), is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        return client

    return make
