"""Each route answers with what its description names, in whatever way it is asked wrongly."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from tests.openapi.described import describe

MANY = "?" + "&".join("abcdef")
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("query", "body", "headers", "statuses"),
    [
        ("", "", {"Host": "elsewhere.example"}, {400}),
        (MANY, "", {}, {200, 300, 400, 404}),
        ("", "", {"Accept": "image/png"}, {406}),
        ("", "", {"X-Auth-Token": "made-up"}, {200, 300, 401}),
        ("", "", {"Transfer-Encoding": "chunked"}, {200, 300, 400, 404, 411}),
        ("", "{", {"Cookie": "session"}, {200, 300, 400, 404}),
        ("", "a=b", {"Cookie": "session", "Content-Type": FORM}, {200, 300, 404, 415}),
        ("", f'["{"a" * 99}"]', {"Cookie": "session"}, {200, 300, 404, 413}),
        ("", "{}", {"Cookie": "session", "X-CSRFToken": ""}, {200, 300, 403, 404}),
    ],
)
def test_the_status_is_described(
    user: User, settings: Any, query: str, body: str, headers: dict[str, str], statuses: set[int]
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5, 100
    settings.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
    settings.MIDDLEWARE += ["django.contrib.auth.middleware.AuthenticationMiddleware"]
    client = Client(enforce_csrf_checks=True)
    sent = {"X-CSRFToken": "x" * 32, "Content-Type": "application/json", **headers}
    if sent.pop("Cookie", None):
        client.force_login(user)
        client.cookies["csrftoken"] = "x" * 32
    else:
        sent.setdefault("X-Auth-Token", Token.objects.create(user=user).key)
    answered = set()

    for path, operations in describe()["paths"].items():
        for method, operation in operations.items():
            url = path.replace("{id}", "7") + query
            answer = client.generic(method.upper(), url, body, sent["Content-Type"], headers=sent)
            assert str(answer.status_code) in operation["responses"], (method, path)
            answered.add(answer.status_code)
    assert answered == statuses
