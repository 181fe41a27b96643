"""What gophercloud (Go) does with its image endpoint, in Python.

It builds every URL from ``ServiceClient{Endpoint: ROOT + "/v2/"}``, takes 201 alone for a created
task, decodes times as RFC 3339, and begins the next page at the endpoint without its version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from django_image_tasks.models import Task
from tests.clients.tasks import SOURCE, MakeTasks, ids, succeed

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture
def endpoint(root: str) -> str:
    return f"{root}/v2/"


def send(token: str, url: str, body: Any = None) -> tuple[int, Any]:
    headers = {"X-Auth-Token": token, "Accept": "application/json"}
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    with urlopen(Request(url, data, headers)) as response:
        return response.status, json.load(response)


def next_url(endpoint: str, link: str) -> str:
    base = re.sub(r"v[0-9.]+/?$", "", endpoint)
    path, query = urlsplit(link).path, urlsplit(link).query
    return f"{base}{path.removeprefix('/')}?{query}"


def every_page(endpoint: str, token: str, query: str) -> Iterator[Any]:
    url = f"{endpoint}tasks?{query}"
    while url:
        _, page = send(token, url)
        yield page
        link = page.get("next", "")
        url = link and next_url(endpoint, link)


def test_lists_every_page(
    endpoint: str, token: str, make_tasks: MakeTasks, pages: list[str]
) -> None:
    expected = sorted(ids(make_tasks(5)))

    found = list(every_page(endpoint, token, "limit=2&sort_key=id&sort_dir=asc"))

    assert [task["id"] for page in found for task in page["tasks"]] == expected
    assert len(pages) == 3


def test_gets_a_task(endpoint: str, token: str, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1, input=SOURCE)
    succeed(row, "an image")

    status, task = send(token, f"{endpoint}tasks/{row.pk}")

    assert status == 200
    assert (task["input"], task["result"]) == (SOURCE, {"image_id": "an image"})
    for name in ("created_at", "updated_at", "expires_at"):
        assert RFC3339.fullmatch(task[name])
        assert datetime.fromisoformat(task[name]) == getattr(row, name).replace(microsecond=0)


def test_creates_a_task(endpoint: str, token: str) -> None:
    status, created = send(token, f"{endpoint}tasks", {"type": "import", "input": SOURCE})

    assert status == 201
    assert created["id"] == str(Task.objects.get().pk)
