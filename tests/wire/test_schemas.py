"""The schemas describe exactly what is sent, and break none of the clients that build on them."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from tests.conftest import SOURCE

OPTIONAL = {
    "image_id": "1e5b0c1c-0000-4000-8000-000000000000",
    "request_id": "req-1",
    "user_id": "7",
}


def schema(api, name: str):
    return api.get(f"/v2/schemas/{name}").json()


def test_task(api, make_task):
    task = make_task(status="success", **OPTIONAL)

    shown = api.get(f"/v2/tasks/{task.pk}").json()

    described = schema(api, "task")
    assert described["name"] == "task"
    assert set(described["properties"]) == set(shown)


def test_tasks(api, make_task):
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
def test_what_is_sent_is_valid(api, make_task, values, validator):
    task = make_task(**values)

    validator(schema(api, "task")).validate(api.get(f"/v2/tasks/{task.pk}").json())
    validator(schema(api, "tasks")).validate(api.get("/v2/tasks").json())


@pytest.mark.parametrize("word", ["required", "default", "additionalProperties"])
@pytest.mark.parametrize("name", ["task", "tasks", "image"])
def test_no_word_that_breaks_a_client(api, name, word):
    assert f'"{word}"' not in json.dumps(schema(api, name))


def test_type_is_a_plain_string(api):
    types = [
        schema(api, "task")["properties"]["type"],
        schema(api, "tasks")["properties"]["tasks"]["items"]["properties"]["type"],
    ]

    assert [("enum" in type_, type_["type"]) for type_ in types] == [(False, "string")] * 2


def test_image_describes_what_image_properties_may_hold(api, create):
    properties = dict.fromkeys(schema(api, "image")["properties"], "x")

    response = create(input={**SOURCE, "image_properties": properties})

    assert schema(api, "image")["name"] == "image"
    assert {"name", "disk_format", "container_format"} <= set(properties)
    assert response.status_code == 201


@pytest.mark.parametrize("name", ["task", "tasks", "image"])
def test_schemas_ask_for_authentication(client, db, name):
    assert client.get(f"/v2/schemas/{name}").status_code == 401


@pytest.mark.parametrize("name", ["task", "tasks", "image"])
def test_a_schema_takes_no_query(api, name, django_assert_num_queries):
    with django_assert_num_queries(0):
        api.get(f"/v2/schemas/{name}")


def test_an_unknown_schema_is_the_hosts_404(api):
    response = api.get("/v2/schemas/foo")

    assert response.status_code == 404
    assert "x-openstack-request-id" not in response
