"""The versions document."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.wire.answers import error


@pytest.mark.parametrize(
    ("path", "status", "href"),
    [
        ("/", 300, "http://testserver/v2/"),
        ("/versions", 200, "http://testserver/v2/"),
        ("/image/", 300, "http://testserver/image/v2/"),
        ("/image", 300, "http://testserver/image/v2/"),
        ("/image/versions", 200, "http://testserver/image/v2/"),
    ],
)
def test_versions(client: Client, path: Any, status: Any, href: Any) -> None:
    response = client.get(path)

    links = [{"rel": "self", "href": href}]
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "versions": [
            {"id": "v2.2", "status": "CURRENT", "links": links},
            {"id": "v2.1", "status": "SUPPORTED", "links": links},
            {"id": "v2.0", "status": "SUPPORTED", "links": links},
        ]
    }


def test_links_have_the_requests_scheme_host_and_script_name(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["images.example"]

    response = client.get("/versions", secure=True, HTTP_HOST="images.example", SCRIPT_NAME="/s")

    [link] = response.json()["versions"][0]["links"]
    assert link["href"] == "https://images.example/s/v2/"


def test_a_bad_token_does_not_matter(client: Client, db: None) -> None:
    assert client.get("/versions", headers={"X-Auth-Token": "bad"}).status_code == 200


def test_no_query_is_made(client: Client) -> None:
    # Without the fixture db a query is an error.
    assert client.get("/", headers={"Authorization": "Basic eDp5"}).status_code == 300


@pytest.mark.parametrize("path", ["/", "/versions"])
def test_versions_are_only_read(client: Client, path: Any) -> None:
    response = client.post(path)

    assert error(response) == (405, 'Method "POST" not allowed.')
    assert response["Allow"] == "GET, HEAD, OPTIONS"
