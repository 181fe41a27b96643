"""``x-openstack-request-id``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_image_tasks.models import Task

NEW = re.compile("req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/tasks", 200),
        ("/v2/schemas/task", 200),
        ("/versions", 200),
        ("/", 300),
        ("/v2/tasks?limit=x", 400),
        ("/v2/tasks/7", 404),
    ],
)
def test_every_answer_has_a_new_one(api: APIClient, path: Any, status: Any) -> None:
    responses = [api.get(path) for _ in range(2)]

    ids = {response["x-openstack-request-id"] for response in responses}
    assert [response.status_code for response in responses] == [status] * 2
    assert len(ids) == 2
    assert all(map(NEW.fullmatch, ids))


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (401, lambda api: APIClient().get("/v2/tasks")),
        (405, lambda api: api.put("/v2/tasks")),
        (406, lambda api: api.get("/v2/tasks", headers={"Accept": "image/png"})),
        (415, lambda api: api.post("/v2/tasks", b"x", content_type="text/plain")),
        (200, lambda api: api.options("/v2/tasks")),
        (200, lambda api: api.get("/v2/tasks", headers={"Accept": "text/html"})),
    ],
)
def test_answers_of_any_kind_have_one(api: APIClient, status: Any, request_: Any) -> None:
    response = request_(api)

    assert response.status_code == status
    assert NEW.fullmatch(response["x-openstack-request-id"])


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("a", "req-a"),
        ("A.b_c-9", "req-A.b_c-9"),
        ("x" * 64, "req-" + "x" * 64),
        ("req-", "req-"),
        ("req-x", "req-x"),
        ("req-" + "x" * 60, "req-" + "x" * 60),
        ("REQ-x", "req-REQ-x"),
        ("req", "req-req"),
    ],
)
def test_a_clients_own_comes_back(api: APIClient, sent: Any, answered: Any) -> None:
    response = api.get("/v2/tasks", headers={"X-Openstack-Request-ID": sent})

    assert response["x-openstack-request-id"] == answered


@pytest.mark.parametrize(
    "sent",
    ["", " ", "a b", "x" * 65, "req-" + "x" * 61, "é", "a/b", "a\n", "\0", "<b>", "x" * 10_000],
)
def test_any_other_is_replaced(api: APIClient, sent: Any) -> None:
    response = api.get("/v2/tasks", headers={"X-Openstack-Request-ID": sent})

    assert NEW.fullmatch(response["x-openstack-request-id"])


@pytest.mark.parametrize("sent", ["x" * 64, "req-7"])
def test_a_task_keeps_that_of_the_request_that_made_it(
    api: APIClient, create: Callable[..., Any], sent: Any
) -> None:
    api.credentials(HTTP_X_OPENSTACK_REQUEST_ID=sent)

    response = create()

    request_id = response["x-openstack-request-id"]
    assert Task.objects.get().request_id == request_id == response.json()["request_id"]
