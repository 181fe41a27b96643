"""ETag, If-None-Match and 304 (docs/reference/http.md, "Asking again")."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.test import APIClient

from django_image_tasks import entity_tags
from django_image_tasks.models import Task

CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"


@pytest.fixture
def path(make_task: Callable[..., Task]) -> str:
    return f"/v2/tasks/{make_task().pk}"


def ask_again(api: APIClient, path: str, tag: str) -> Any:
    return api.get(path, headers={"If-None-Match": tag, "X-Openstack-Request-ID": "again"})


@pytest.mark.parametrize("path", ["/v2/tasks", "/v2/tasks/{}", "/v2/schemas/task", "/versions"])
def test_what_is_asked_for_again_is_not_sent_again(
    api: APIClient, make_task: Callable[..., Task], path: str
) -> None:
    path = path.format(make_task().pk)
    first = api.get(path)

    again = ask_again(api, path, first["ETag"])

    assert re.fullmatch('W/"[0-9a-f]{40}"', first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["x-openstack-request-id"] == "req-again"
    assert "Content-Type" not in again
    gone = {"Content-Type", "Content-Length", "x-openstack-request-id"}
    for name in first.headers.keys() - gone:
        assert again[name] == first[name]


@pytest.mark.parametrize("spelling", ["{}", '"x", {}', "*", "{0:.0}{1}"])
def test_a_tag_may_be_one_of_several_and_strong(api: APIClient, path: str, spelling: str) -> None:
    tag = api.get(path)["ETag"]

    assert ask_again(api, path, spelling.format(tag, tag[2:])).status_code == 304


@pytest.mark.parametrize("tag", ["", '"x"', "x", 'W/"', '"\udcff"', ",", "W/*"])
def test_any_other_tag_gets_the_answer(api: APIClient, path: str, tag: str) -> None:
    assert ask_again(api, path, tag).json()["self"] == path


def test_head_has_the_same_tag(api: APIClient, path: str) -> None:
    tag = api.get(path)["ETag"]

    assert api.head(path)["ETag"] == tag
    assert api.head(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_change_changes_the_tag(api: APIClient, path: str, make_task: Any) -> None:
    lists, tasks = api.get("/v2/tasks")["ETag"], api.get(path)["ETag"]
    Task.objects.get().start("worker")

    assert ask_again(api, path, tasks).json()["status"] == "processing"
    assert ask_again(api, "/v2/tasks", lists).status_code == 200


def test_another_form_is_another_tag(api: APIClient, path: str, settings: Any) -> None:
    tag = api.get(path)["ETag"]
    settings.IMAGE_TASKS = {"SERIALIZER_CLASS": "tests.wire.test_settings.LoudSerializer"}

    assert ask_again(api, path, tag).status_code == 200


def test_only_what_was_found_has_a_tag(api: APIClient, path: str) -> None:
    for response in [
        api.get("/", headers={"If-None-Match": "*"}),  # 300, for there are several versions
        api.get("/v2/tasks/7", headers={"If-None-Match": "*"}),
        api.get("/v2/tasks?limit=x", headers={"If-None-Match": "*"}),
        api.post(f"{path}/actions/cancel", headers={"If-None-Match": "*"}),
        api.options(path, headers={"If-None-Match": "*"}),
    ]:
        assert response.status_code != 304
        assert "ETag" not in response


@pytest.mark.parametrize("media_type", ["application/json", "text/html"])
def test_djangos_own_middleware_drops_no_header(
    api: APIClient, path: str, settings: Any, media_type: str
) -> None:
    settings.MIDDLEWARE = [CONDITIONAL, *settings.MIDDLEWARE]
    # The page shows the request's id.
    headers = {"Accept": media_type, "X-Openstack-Request-ID": "again"}
    first = api.get(path, headers=headers)

    again = api.get(path, headers={**headers, "If-None-Match": first["ETag"]})

    assert again["x-openstack-request-id"] == "req-again"
    assert again["Retry-After"] == "1"
    assert again.status_code == (304 if media_type == "application/json" else 200)


def test_a_tag_tells_another_owner_nothing(api: APIClient, path: str) -> None:
    """Whoever has got hold of a tag is answered as if there were no such task."""
    tag = api.get(path)["ETag"]
    bob = APIClient()
    bob.force_authenticate(User.objects.create_user("bob"))
    none = "/v2/tasks/00000000-0000-4000-8000-000000000000"

    for sent in (tag, "*"):
        theirs, nobodys = ask_again(bob, path, sent), ask_again(bob, none, sent)
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.headers == nobodys.headers
    assert ask_again(APIClient(), path, tag).status_code == 401


def test_a_tag_costs_no_query(
    api: APIClient, path: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    tag = api.get(path)["ETag"]

    with django_assert_num_queries(1 + 1):  # the permission of the user, and what is shown
        assert ask_again(api, path, tag).status_code == 304


def test_a_304_has_no_body_for_a_server_to_send() -> None:
    """Django's test client would drop it."""
    request = RequestFactory().get("/", headers={"If-None-Match": "*"})

    answer = entity_tags.tag(request, HttpResponse(b"a task"))

    assert (answer.status_code, answer.content) == (304, b"")
