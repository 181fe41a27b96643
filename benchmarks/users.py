"""The users who ask: one sees every task, one a tenth of them, and one is not logged in."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token

MEASURED_OWNER = 7
"""The primary key of the user who owns a tenth of the tasks."""


@dataclass(frozen=True)
class Identity:
    pk: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry the token to each of the sides."""
        if not self.token:
            return {}
        return {"X-Auth-Token": self.token, "Authorization": f"Token {self.token}"}


ADMIN = Identity(51, "a" * 40)
USER = Identity(MEASURED_OWNER, "b" * 40)
ANONYMOUS = Identity(0, "")


def create_users(alias: str) -> None:
    for identity in (ADMIN, USER):
        user = get_user_model()(
            pk=identity.pk, username=f"user-{identity.pk}", is_superuser=identity is ADMIN
        )
        user.save(using=alias)
        Token(user=user, key=identity.token).save(using=alias)
