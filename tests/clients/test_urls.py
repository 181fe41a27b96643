"""What every client leans on: our routes answer themselves, and never redirect.

A redirect would turn a client's POST into a GET that succeeds; and keystoneauth, below openstacksdk
and the ``openstack`` command, cannot follow Django's, whose ``Location`` is a path.
"""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from django_image_tasks.models import Task
from django_image_tasks.urls import urlpatterns

ROUTES = [
    str(pattern.pattern).replace("<str:pk>", "1e5b0c1c-0000-4000-8000-000000000000")
    for pattern in urlpatterns
]
REDIRECTS = {301, 302, 303, 307, 308}


def status_of(method: str, url: str, body: str | None = None, **headers: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, parts.path, body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_no_route_of_ours_redirects(root: str, token: str, settings: Any, method: str) -> None:
    assert settings.APPEND_SLASH

    answers = {route: status_of(method, f"{root}/{route}", X_Auth_Token=token) for route in ROUTES}

    assert {route: status for route, status in answers.items() if status in REDIRECTS} == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_slash_at_the_end_makes_it_no_route_of_ours(root: str, token: str, method: str) -> None:
    answers = {
        route: status_of(method, f"{root}/{route}/", X_Auth_Token=token)
        for route in ROUTES
        if route
    }

    assert set(answers.values()) == {404}


def test_a_post_creates_instead_of_listing(root: str, token: str) -> None:
    body = '{"type": "import", "input": {"import_from": "https://example.com/a"}}'

    status = status_of(
        "POST", f"{root}/v2/tasks", body, X_Auth_Token=token, Content_Type="application/json"
    )

    assert (status, Task.objects.count()) == (201, 1)


def test_the_root_answers_without_its_slash(root: str, transactional_db: None) -> None:
    answer = requests.get(root, allow_redirects=False, timeout=10)

    assert answer.status_code == 300
    assert [version["links"] for version in answer.json()["versions"]] == [
        [{"rel": "self", "href": f"{root}/v2/"}]
    ] * 3
