"""Which media type an answer has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.wire.answers import error

JSON, HTML = "application/json", "text/html; charset=utf-8"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", JSON),
        ("", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/json; indent=4", JSON),
        ("application/json, text/plain, */*", JSON),
        ("application/json, text/html", JSON),
        ("text/html, application/json", JSON),
        ("text/html;q=0.5, application/json;q=0.9", JSON),
        ("text/html;q=0.5, */*;q=0.8", JSON),
        ("text/html;q=0, */*", JSON),
        ("image/png, */*;q=0.1", JSON),
        (" application/json ,, ;;; , =", JSON),
        ("application/json; a*=foo'en'x%20", JSON),
        ("application/json; q=nan", JSON),
        (BROWSER, HTML),
        ("text/html", HTML),
        ("text/*", HTML),
        ("text/html;q=0.9, application/json;q=0.5", HTML),
        ("application/json;q=0, */*", HTML),
    ],
)
@pytest.mark.parametrize(("path", "status"), [("/v2/tasks", 200), ("/v2/tasks/7", 404)])
def test_accept(api: APIClient, path: Any, status: Any, accept: Any, content_type: Any) -> None:
    response = api.get(path, headers={"Accept": accept})

    assert response.status_code == status
    assert response["Content-Type"] == content_type
    assert "Accept" in response["Vary"]


def test_no_accept(api: APIClient) -> None:
    assert api.get("/v2/tasks")["Content-Type"] == JSON


@pytest.mark.parametrize(
    "accept",
    ["image/png", "text/plain", "application/xml", "x", "/", "\xff", "*", "application/json;q=0"]
    + ["*/*;q=0", "application/problem+json", ",", "x" * 10_000, ";q=1", "a/b," * 3_000],
)
def test_what_we_cannot_serve(api: APIClient, accept: Any) -> None:
    response = api.get("/v2/tasks", headers={"Accept": accept})

    assert error(response) == (406, "Could not satisfy the request Accept header.")


def test_format_is_a_parameter_of_the_clients_own(api: APIClient) -> None:
    response = api.get("/v2/tasks?format=api")

    assert response["Content-Type"] == JSON
    assert response.json()["first"] == "/v2/tasks?format=api"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/tasks?limit=1", 200),
        ("/v2/tasks?limit=x", 400),
        ("/v2/tasks?status=x&created_at=x&sort_key=x&sort_dir=x", 400),
        ("/v2/tasks/7", 404),
        ("/v2/schemas/tasks", 200),
        ("/versions", 200),
        ("/", 300),
    ],
)
def test_pages_for_a_browser(
    api: APIClient, make_task: Callable[..., Task], path: Any, status: Any
) -> None:
    make_task(name="</script><b>")
    make_task()

    response = api.get(path, headers={"Accept": BROWSER})

    assert response.status_code == status
    assert response["Content-Type"] == HTML
    assert b"x-openstack-request-id" in response.content
    assert b"</script><b>" not in response.content
    assert b"?format=" not in response.content


def test_the_page_of_a_task(api: APIClient, make_task: Callable[..., Task]) -> None:
    task = make_task(name="<b>label</b>")

    response = api.get(f"/v2/tasks/{task.pk}", headers={"Accept": BROWSER})

    assert response.status_code == 200
    assert b"&lt;b&gt;label" in response.content


@pytest.mark.parametrize("path", ["/v2/tasks", "/image/v2/tasks"])
def test_the_links_of_a_page_are_real(
    api: APIClient, make_task: Callable[..., Task], path: Any
) -> None:
    make_task()
    last_shown = make_task()

    response = api.get(f"{path}?limit=1", headers={"Accept": BROWSER}, SCRIPT_NAME="/script")

    link = f'href="http://testserver/script{path}?limit=1&amp;marker={last_shown.pk}"'
    assert link in response.content.decode()


def test_an_anonymous_browser_gets_a_page(client: Client, db: None) -> None:
    response = client.get("/v2/tasks", headers={"Accept": BROWSER})

    assert response.status_code == 401
    assert response["Content-Type"] == HTML


def test_refusals_reach_a_browser_too(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3

    response = api.get("/v2/tasks?a&b&c&d", headers={"Accept": BROWSER})

    assert response.status_code == 400
    assert response["Content-Type"] == HTML
