"""Who asks for what, where two owners and strangers share a cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from rest_framework.authtoken.models import Token

from django_image_tasks.models import Task

MEDIA_TYPES = ("application/json", "text/html")
OWNERS = ("ada", "bob")


class Question(NamedTuple):
    path: str
    who: str
    headers: Mapping[str, str]

    def foreign(self, body: bytes) -> int:
        """Bytes of an answer that holds what only another owner may see; 0 of any other."""
        secrets = [secret(owner).encode() for owner in OWNERS if owner != self.who.split()[0]]
        return len(body) if any(secret in body for secret in secrets) else 0


def secret(owner: str) -> str:
    """Stands in an owner's task, and in the pages that greet this user by name."""
    return f"{owner}-knows"


class Asking:
    """Makes two owners with a task each."""

    def __init__(self) -> None:
        users = {owner: User.objects.create_user(secret(owner)) for owner in OWNERS}
        self.tasks = [
            Task.objects.create(type="import", owner=str(user.pk), name=secret(owner))
            for owner, user in users.items()
        ]
        session = SessionStore()
        session["_auth_user_id"] = str(users["ada"].pk)
        session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
        session["_auth_user_hash"] = users["ada"].get_session_auth_hash()
        session.create()
        tokens = {owner: Token.objects.create(user=user).key for owner, user in users.items()}
        self.identities = {
            "ada (token)": {"X-Auth-Token": tokens["ada"]},
            "bob (token)": {"X-Auth-Token": tokens["bob"]},
            "nobody (made-up token)": {"X-Auth-Token": "made-up"},
            "nobody": {},
            "ada (session)": {"Cookie": f"sessionid={session.session_key}"},
            "nobody (made-up session)": {"Cookie": "sessionid=made-up"},
        }

    @property
    def paths(self) -> list[str]:
        return [
            "/",
            "/versions",
            "/v2/tasks",
            "/v2/tasks?limit=1",
            "/v2/tasks?limit=x",
            "/v2/tasks/no-such-task",
            *(f"/v2/tasks/{task.pk}" for task in self.tasks),
            *(f"/v2/schemas/{name}" for name in ("task", "tasks", "image")),
        ]

    def questions(self) -> Iterator[Question]:
        """Everybody asks for everything, in both media types, twice."""
        for path, _ in product(self.paths, range(2)):
            for (who, headers), media_type in product(self.identities.items(), MEDIA_TYPES):
                yield Question(path, who, {"Accept": media_type, **headers})
