"""Bodies that ``POST /v2/tasks`` refuses, and the order of its checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.conftest import SOURCE
from tests.wire.answers import error

MISMATCH = "Provided object does not match schema 'task': "


@pytest.fixture
def post(api: APIClient) -> Any:
    def post(body: bytes | str, content_type: str = "application/json", **headers):
        return api.generic("POST", "/v2/tasks", body, content_type, **headers)

    return post


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "\0"])
def test_an_empty_body(post: Any, content_type: Any) -> None:
    assert error(post(b"", content_type)) == (400, "Body expected in request.")


@pytest.mark.parametrize("length", ["", "abc", "-5", "0", "０", "1.5", "9" * 5_000])
def test_a_body_without_a_length_is_empty(post: Any, length: Any) -> None:
    assert error(post(b"{}", CONTENT_LENGTH=length)) == (400, "Body expected in request.")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded", "*/*", "/"]
    + ["multipart/form-data; boundary=x", "multipart/form-data", "application/jsonx", "\0", ";"]
    + ["application/json, text/plain", "application/vnd.api+json", "x" * 10_000, "application/*"],
)
@pytest.mark.parametrize("body", [b"{", b"\xff", b"x" * 3_000_000])
def test_another_content_type(post: Any, content_type: Any, body: Any) -> None:
    code, _ = error(post(body, content_type))

    assert code == 415


def test_another_content_type_where_a_middleware_has_read_the_form(
    api: APIClient, settings: Any
) -> None:
    settings.MIDDLEWARE = ["tests.wire.hosts.form_reading_middleware"]

    response = api.post("/v2/tasks", {"type": "import"}, format="multipart")

    assert error(response)[0] == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=latin-1"]
    + ["application/json;", 'application/json; x="', "application/json ; a=b; a=b"],
)
def test_parameters_of_the_content_type_do_not_matter(post: Any, content_type: Any) -> None:
    body = json.dumps({"type": "import", "input": SOURCE, "name": "ä"}, ensure_ascii=False)

    response = post(body.encode(), content_type)

    assert response.status_code == 201
    assert response.json()["name"] == "ä"


def test_a_body_that_is_too_large(post: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    assert error(post(b"not JSON at all")) == (
        413,
        "The request body is larger than this server accepts.",
    )


def test_a_body_that_ends_early(post: Any) -> None:
    class Gone(BytesIO):
        def read(self, *args):
            raise OSError

    assert error(post(b"{}", **{"wsgi.input": Gone()})) == (400, "The request body ended early.")


@pytest.mark.parametrize(
    "body",
    [b"{", b"x", b"{]", b'{"a"}', b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}", b"\0", b"{} {}"]
    + ["{}".encode("utf-16"), b" ", b"'a'", b"{'a': 1}", b'{"a": 01}', b'{"a": 1,}'],
)
def test_what_is_not_json(post: Any, body: Any) -> None:
    assert error(post(body)) == (400, "Malformed JSON in request body.")


@pytest.mark.parametrize(
    "body", ["[]", "null", '"x"', "1", "true", '["type", "input"]', "[[[]]]", "NaN"]
)
def test_what_is_no_object(post: Any, body: Any) -> None:
    assert error(post(body)) == (400, "Unexpected body type. Expected an object.")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "type"),
        ({"input": {}}, "type"),
        ({"type": "import"}, "input"),
        ({"type": 7}, "input"),
        ({"x": 1}, "type"),
    ],
)
def test_what_is_missing(post: Any, body: Any, key: Any) -> None:
    assert error(post(json.dumps(body))) == (400, f"Task '{key}' is required")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"type": "foo"}, "type: 'foo' is not one of ['import']"),
        ({"type": "import "}, "type: 'import ' is not one of ['import']"),
        ({"type": None}, "type: None is not "),
        ({"type": 7}, "type: 7 is not "),
        ({"type": ["import"]}, "type: ['import'] is not "),
        ({"type": {}}, "type: {} is not "),
        ({"type": "x" * 10_000}, "type: 'xxx"),
        ({"input": None}, "input: None is not of type 'object'"),
        ({"input": []}, "input: [] is not of type 'object'"),
        ({"input": "x"}, "input: 'x' is not of type 'object'"),
        ({"input": 1.5}, "input: 1.5 is not of type 'object'"),
        ({"input": {}}, "input: 'import_from' is a required property"),
        ({"input": {"import_from": 7}}, "input.import_from: 7 is not of type 'string'"),
        ({"input": {"import_from": None}}, "input.import_from: None is not of type 'string'"),
        ({"input": {**SOURCE, "foo": 1}}, "input: Additional properties are not allowed ('foo' "),
        ({"input": {**SOURCE, "image_properties": []}}, "input.image_properties: [] is not of "),
        ({"input": {**SOURCE, "image_id": "x"}}, "input.image_id: 'x' does not match "),
        ({"input": {**SOURCE, "image_id": {}}}, "input.image_id: {} is not of type 'string'"),
        ({"name": None}, "name: None is not of type 'string'"),
        ({"name": 7}, "name: 7 is not of type 'string'"),
        ({"name": "x" * 256}, "name: 'xxx"),
        ({"extra": 1}, "body: Additional properties are not allowed ('extra' was unexpected)"),
        ({"TYPE": "import"}, "body: Additional properties are not allowed ('TYPE' was unexpected)"),
        ({"a\nb\u2028c": 1}, "body: Additional properties are not allowed ("),
        ({"x" * 10_000: 1}, "body: Additional properties are not allowed ('xxx"),
    ],
)
def test_what_does_not_match_the_schema(
    create: Callable[..., Any], changes: Any, where: Any
) -> None:
    code, message = error(create(**changes))

    assert code == 400
    assert message.startswith(MISMATCH + where)
    assert len(message.splitlines()) == 1
    assert len(message) < 1_000


def test_a_retired_type_cannot_be_created(create: Callable[..., Any], settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}

    assert error(create()) == (400, MISMATCH + "type: 'import' is not one of []")


def test_checks_come_in_order(post: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    too_large = b"x" * 21

    assert error(APIClient().post("/v2/tasks", b"", content_type="text/plain"))[0] == 401
    assert error(post(b"", "text/plain"))[0] == 400
    assert error(post(too_large, "text/plain"))[0] == 415
    assert error(post(too_large))[0] == 413
    assert error(post(b"[{"))[1] == "Malformed JSON in request body."
    assert not Task.objects.exists()
