"""Whatever a client sends, the answer is one of the contract's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.conftest import SOURCE

# An exception that nobody caught reaches these tests through the client.

PARAMS = [
    *("limit", "marker", "sort_key", "sort_dir", "sort", "type", "status", "id", "name", "owner"),
    *("image_id", "user_id", "request_id", "created_at", "updated_at", "expires_at", "format"),
]
WORDS = [
    *("", "0", "-1", "9" * 30, "asc", "desc", "created_at", "expires_at", "name,id", "status:asc"),
    *("import", "pending", "in:", "in:a,b", 'in:"', "gt:2026-01-01", "neq:0001-01-01"),
    *("1e5b0c1c000040008000000000000000", "9999-12-31", "\0", "%", "\U0001f4be", "x" * 10_000),
]
HEADERS = [
    *("ACCEPT", "X_AUTH_TOKEN", "AUTHORIZATION", "X_OPENSTACK_REQUEST_ID", "COOKIE", "HOST"),
    *("X_CSRFTOKEN", "REFERER", "ORIGIN", "X_PROJECT_ID", "X_FORWARDED_HOST", "CONTENT_LENGTH"),
]
ACCEPTS = ["*/*", "text/html"]

values = st.sampled_from(WORDS) | st.text(max_size=20)
queries = st.lists(st.tuples(st.sampled_from(PARAMS) | st.text(max_size=5), values), max_size=6)
header_values = st.sampled_from(WORDS[:-2]) | st.text(st.characters(max_codepoint=255), max_size=30)
texts = st.text(st.characters(), max_size=5)  # halves of surrogate pairs too
scalars = st.none() | st.booleans() | st.integers() | st.floats(width=16) | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=15
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("import") | documents,
        "input": st.just(SOURCE) | documents,
        "name": texts | documents,
        "status": documents,
        "extra": documents,
    },
)


def check(response: Any, *expected: int) -> None:
    assert response.status_code in expected, response.content
    assert response["x-openstack-request-id"].startswith("req-")
    if response["Content-Type"] == "application/json" and response.status_code >= 400:
        [error] = response.json().values()
        assert error["code"] == response.status_code


@given(queries, st.sampled_from(ACCEPTS))
def test_any_parameters(
    api: APIClient, make_task: Callable[..., Task], query: Any, accept: Any
) -> None:
    response = api.get("/v2/tasks?" + urlencode(query), headers={"Accept": accept})

    check(response, 200, 400)


@given(st.binary(max_size=40))
def test_any_bytes_as_a_query(api: APIClient, query: Any) -> None:
    check(api.get("/v2/tasks", QUERY_STRING=query.decode("latin-1")), 200, 400)


@given(st.binary(min_size=1, max_size=40).filter(lambda path: b"/" not in path))
def test_any_bytes_as_an_id(api: APIClient, path: Any) -> None:
    check(api.get("/v2/tasks/" + quote(path)), 404)


@given(st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=3))
@example({"CONTENT_LENGTH": "x"})
def test_any_headers(db: None, headers: Any) -> None:
    environ = {f"HTTP_{name}": value for name, value in headers.items()}

    response = APIClient().get("/v2/tasks", **environ)

    if "x-openstack-request-id" in response:  # a Host that Django's middleware lets through
        check(response, 400, 401, 406)


@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/plain", "", "x/y;"]))
def test_any_bytes_as_a_body(api: APIClient, body: Any, content_type: Any) -> None:
    response = api.generic("POST", "/v2/tasks", body, content_type)

    check(response, 400, 415)


@given(bodies | documents)
@pytest.mark.parametrize("handler", ["tests.wire.handlers.Echo", None])
def test_any_document_as_a_body(api: APIClient, settings: Any, handler: Any, body: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": handler}} if handler else {}

    response = api.post("/v2/tasks", json.dumps(body), content_type="application/json")

    check(response, 201, 400)
    if response.status_code == 201:
        shown = api.get(response["Location"]).json()
        assert shown["input"] == body["input"]
        assert shown["name"] == response.json()["name"]


@given(documents)
def test_any_document_among_the_properties_of_an_image(api: APIClient, document: Any) -> None:
    properties = {"name": "x", "more": document}
    body = json.dumps({"type": "import", "input": {**SOURCE, "image_properties": properties}})

    check(api.post("/v2/tasks", body, content_type="application/json"), 201, 400)


@given(st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS"]) | st.text("AZ-", min_size=1))
@pytest.mark.parametrize("path", ["/v2/tasks", "/v2/tasks/7", "/v2/schemas/task", "/versions"])
def test_any_method(api: APIClient, path: Any, method: Any) -> None:
    check(api.generic(method, path), 200, 400, 404, 405)
