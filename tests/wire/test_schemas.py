"""The schemas describe exactly what is sent, and break none of the clients that build on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft4Validator, Draft202012Validator
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.conftest import SOURCE

OPTIONAL = {
    "image_id": "1e5b0c1c-0000-4000-8000-000000000000",
    "request_id": "req-1",
    "user_id": "7",
}


def schema(api: Any, name: str) -> Any:
    return api.get(f"/v2/schemas/{name}").json()


def test_task(api: APIClient, make_task: Callable[..., Task]) -> None:
    task = make_task(status="success", **OPTIONAL)

    shown = api.get(f"/v2/tasks/{task.pk}").json()

    described = schema(api, "task")
    assert described["name"] == "task"
    assert set(described["properties"]) == set(shown)


def test_tasks(api: APIClient, make_task: Callable[..., Task]) -> None:
    make_task(status="success")
    make_task()

    listed = api.get("/v2/tasks?limit=1&sort_dir=asc").json()

    described = schema(api, "tasks")
    assert described["name"] == "tasks"
    assert set(described["properties"]) == set(listed)
    items = described["properties"]["tasks"]["items"]
    assert set(items["properties"]) == set(listed["tasks"][0])


@pytest.mark.parametrize("validator", [Draft4Validator, Draft202012Validator])
@pytest.mark.parametrize("values", [{}, {"status": "success", "result": {}, **OPTIONAL}])
def test_what_is_sent_is_valid(
    api: APIClient, make_task: Callable[..., Task], values: Any, validator: Any
) -> None:
    task = make_task(**values)

    validator(schema(api, "task")).validate(api.get(f"/v2/tasks/{task.pk}").json())
    validator(schema(api, "tasks")).validate(api.get("/v2/tasks").json())


@pytest.mark.parametrize("word", ["required", "default", "additionalProperties"])
@pytest.mark.parametrize("name", ["task", "tasks", "image"])
def test_no_word_that_breaks_a_client(api: APIClient, name: Any, word: Any) -> None:
    assert f'"{word}"' not in json.dumps(schema(api, name))


def test_type_is_a_plain_string(api: APIClient) -> None:
    types = [
        schema(api, "task")["properties"]["type"],
        schema(api, "tasks")["properties"]["tasks"]["items"]["properties"]["type"],
    ]

    assert [("enum" in type_, type_["type"]) for type_ in types] == [(False, "string")] * 2


def test_image_describes_what_image_properties_may_hold(
    api: APIClient, create: Callable[..., Any]
) -> None:
    properties = dict.fromkeys(schema(api, "image")["properties"], "x")

    response = create(input={**SOURCE, "image_properties": properties})

    assert schema(api, "image")["name"] == "image"
    assert {"name", "disk_format", "container_format"} <= set(properties)
    assert response.status_code == 201


@pytest.mark.parametrize("name", ["task", "tasks", "image"])
def test_schemas_ask_for_authentication(client: Client, db: None, name: Any) -> None:
    assert client.get(f"/v2/schemas/{name}").status_code == 401


@pytest.mark.parametrize("name", ["task", "tasks", "image"])
def test_a_schema_takes_no_query(api: APIClient, name: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        api.get(f"/v2/schemas/{name}")


def test_an_unknown_schema_is_the_hosts_404(api: APIClient) -> None:
    response = api.get("/v2/schemas/foo")

    assert response.status_code == 404
    assert "x-openstack-request-id" not in response
