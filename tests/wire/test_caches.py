"""No cache keeps an answer for anybody else (docs/explanation/caches.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.caches.asking import Asking, Question, secret
from tests.conftest import SOURCE

PRIVATE = "private, no-cache"
BODY = {"type": "import", "input": SOURCE}


def vary(response: Any) -> list[str]:
    return sorted(name.strip() for name in response["Vary"].split(","))


@pytest.mark.parametrize("media_type", ["application/json", "text/html", "image/png"])
@pytest.mark.parametrize(
    "path",
    ["/", "/versions", "/v2/tasks", "/v2/tasks?limit=x", "/v2/tasks/{}", "/v2/tasks/7"]
    + [f"/v2/tasks/{{}}/actions/{verb}" for verb in ("cancel", "retry")]
    + [f"/v2/schemas/{name}" for name in ("task", "tasks", "image")],
)
def test_every_answer_is_private(
    api: APIClient, client: Client, make_task: Callable[..., Task], path: Any, media_type: Any
) -> None:
    path = path.format(make_task().pk)

    for method, asking in product(["GET", "HEAD", "OPTIONS", "POST", "PUT"], [api, client]):
        response = asking.generic(method, path, headers={"Accept": media_type})

        assert response["Cache-Control"] == PRIVATE
        assert {*vary(response)} >= {"Accept", "Authorization", "Cookie", "X-Auth-Token"}
        assert len(vary(response)) == len({*vary(response)})


def test_a_created_task_is_private(create: Callable[..., Any]) -> None:
    assert create()["Cache-Control"] == PRIVATE


def test_a_fault_is_private(user: User, settings: Any) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.broken_owner"}
    api = APIClient(raise_request_exception=False)
    api.force_authenticate(user)

    assert api.get("/v2/tasks")["Cache-Control"] == PRIVATE


def test_what_a_host_decorates_its_subclass_with_does_not_count(
    api: APIClient, settings: Any
) -> None:
    settings.ROOT_URLCONF = "tests.wire.hosts"

    assert api.get("/cached/v2/tasks")["Cache-Control"] == PRIVATE


# Django's own cache

UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"


@pytest.fixture
def cached(settings: Any) -> None:
    """Django's cache of the whole site."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "tests.wire.test_caches"}}
    settings.MIDDLEWARE = [UPDATE, GZIP, CONDITIONAL, *settings.MIDDLEWARE, FETCH]


def answers(asking: Asking) -> Iterator[tuple[Question, Any]]:
    client = Client()
    for question in asking.questions():
        client.cookies.clear()
        yield question, client.get(question.path, headers=question.headers)


def test_djangos_cache_of_the_whole_site_tells_nobody_anything(request: Any, db: None) -> None:
    asking = Asking()
    uncached = [response for _, response in answers(asking)]
    assert any(secret("ada").encode() in response.content for response in uncached)
    request.getfixturevalue("cached")

    for (question, response), true in zip(answers(asking), uncached, strict=True):
        assert not question.foreign(response.content), question
        assert response.status_code == true.status_code, question
        if question.headers["Accept"] == "application/json":
            assert response.content == true.content, question


@pytest.mark.parametrize("headers", [{"Accept-Encoding": "gzip"}, {"If-None-Match": "*"}])
def test_what_middleware_makes_of_an_answer_is_private(
    api: APIClient, cached: Any, headers: Any
) -> None:
    response = api.get("/v2/schemas/task", headers=headers)

    assert response["Cache-Control"] == PRIVATE
    assert "X-Auth-Token" in vary(response)
