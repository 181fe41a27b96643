"""What each route allows, and where our routes end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.wire.answers import error

ID = "1e5b0c1c-0000-4000-8000-000000000000"
ALLOW = {
    "/v2/tasks": "GET, POST, HEAD, OPTIONS",
    f"/v2/tasks/{ID}": "GET, HEAD, OPTIONS",
    f"/v2/tasks/{ID}/actions/cancel": "POST, OPTIONS",
    f"/v2/tasks/{ID}/actions/retry": "POST, OPTIONS",
    "/v2/schemas/task": "GET, HEAD, OPTIONS",
    "/v2/schemas/tasks": "GET, HEAD, OPTIONS",
    "/v2/schemas/image": "GET, HEAD, OPTIONS",
    "/versions": "GET, HEAD, OPTIONS",
    "/": "GET, HEAD, OPTIONS",
}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "X-\xe9"]
NO_DELETE = (
    "This operation is currently not permitted on Glance Tasks. They are auto deleted after "
    "reaching the time based on their expires_at property."
)


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path in ALLOW for method in METHODS if method not in ALLOW[path]],
)
def test_other_methods_are_refused(api: APIClient, path: Any, method: Any) -> None:
    response = api.generic(method, path)

    code, message = error(response)
    assert (code, response["Allow"]) == (405, ALLOW[path])
    is_task = path == f"/v2/tasks/{ID}"
    assert (message == NO_DELETE) == (is_task and method == "DELETE")


@pytest.mark.parametrize("id", [ID, "7", "%00", "%FF"])
def test_delete_is_refused_whether_or_not_there_is_a_task(api: APIClient, id: Any) -> None:
    response = api.delete(f"/v2/tasks/{id}")

    assert error(response) == (405, NO_DELETE)
    assert response["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "path", [path for path in ALLOW if "HEAD" in ALLOW[path] and ID not in path]
)
def test_head_is_get_without_the_body(api: APIClient, path: Any) -> None:
    response = api.head(path)

    get = api.get(path)
    assert response.status_code == get.status_code
    assert response["Content-Type"] == get["Content-Type"]
    assert response.content == b""


def test_head_of_a_task(api: APIClient, make_task: Callable[..., Task]) -> None:
    assert api.head(f"/v2/tasks/{make_task().pk}").status_code == 200
    assert api.head(f"/v2/tasks/{ID}").status_code == 404


@pytest.mark.parametrize("path", ALLOW)
def test_options(api: APIClient, path: Any) -> None:
    response = api.options(path)

    assert response.status_code == 200
    assert response["Allow"] == ALLOW[path]
    assert response.json()["parses"] == ["application/json"]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["/v2/tasks/", f"/v2/tasks/{ID}/", "/v2/tasks.json", "/v2", "/v2/", "/v1/tasks", "/tasks"]
    + ["//v2/tasks", "/v2//tasks", "/V2/tasks", "/v2/images", "/versions/", "/v2/schemas/task/"]
    + [f"/v2/tasks/{ID}/actions/delete", f"/v2/tasks/{ID}/actions/cancel/", "/v2/tasks%0A"],
)
def test_any_other_path_is_the_hosts_404(api: APIClient, method: Any, path: Any) -> None:
    response = api.generic(method, path)

    assert response.status_code == 404
    assert "x-openstack-request-id" not in response
