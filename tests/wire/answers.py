"""What tests look at in an answer."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [task["id"] for task in response.json()["tasks"]]


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [task["name"] for task in response.json()["tasks"]]


def error(response: Any) -> tuple[int, str]:
    """Status code and message of an error, which has no other shape than this."""
    assert response["Content-Type"] == "application/json"
    [(_, body)] = response.json().items()
    assert list(body) == ["code", "title", "message"]
    assert body["code"] == response.status_code
    return response.status_code, body["message"]


def allow(user: User, *codenames: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
