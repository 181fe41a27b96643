"""The identity headers that keystonemiddleware sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_image_tasks.models import Task
from tests.conftest import SOURCE
from tests.wire.answers import ids

BODY = {"type": "import", "input": SOURCE}
VOUCHED = {
    "keystone.token_info": {"token": {}},
    "HTTP_X_IDENTITY_STATUS": "Confirmed",
    "HTTP_X_USER_ID": "u1",
    "HTTP_X_USER_NAME": "una",
    "HTTP_X_PROJECT_ID": "p1",
    "HTTP_X_ROLES": "member,reader",
}


@pytest.fixture
def vouched(client: Client) -> Any:
    """A client whose requests come through keystonemiddleware."""

    def get(path="/v2/tasks", **environ):
        return client.get(path, **{**VOUCHED, **environ})

    return get


def test_a_project_is_the_owner(vouched: Any, make_task: Callable[..., Task]) -> None:
    theirs = make_task(owner="p1")
    make_task()

    assert ids(vouched()) == [str(theirs.pk)]


def test_who_created_a_task_in_a_project(client: Client, db: None) -> None:
    response = client.post("/v2/tasks", BODY, content_type="application/json", **VOUCHED)

    assert (response.json()["owner"], response.json()["user_id"]) == ("p1", "u1")


@pytest.mark.parametrize("roles", ["admin", "member, admin"])
def test_an_admin_of_a_project_sees_every_task(
    vouched: Any, make_task: Callable[..., Task], roles: Any
) -> None:
    make_task()

    assert len(ids(vouched(HTTP_X_ROLES=roles))) == 1


def test_an_admin_without_a_project_sees_nothing(
    vouched: Any, make_task: Callable[..., Task]
) -> None:
    make_task()

    assert ids(vouched(HTTP_X_ROLES="admin", HTTP_X_PROJECT_ID="")) == []


@pytest.mark.parametrize("status", ["Invalid", "", "confirmed"])
def test_an_identity_that_is_not_confirmed_is_none(vouched: Any, db: None, status: Any) -> None:
    assert vouched(HTTP_X_IDENTITY_STATUS=status).status_code == 401


@pytest.mark.parametrize("name", ["HTTP_KEYSTONE_TOKEN_INFO", "HTTP_KEYSTONE.TOKEN_INFO", "X"])
def test_the_headers_mean_nothing_without_the_middleware(
    client: Client, db: None, name: Any
) -> None:
    forged = {key: value for key, value in VOUCHED.items() if key.startswith("HTTP")}

    assert client.get("/v2/tasks", **forged, **{name: "{}"}).status_code == 401


# Projects beside Django's users

KEYSTONE = "django_image_tasks.authentication.KeystoneAuthentication"


def test_a_project_named_like_a_user_does_not_see_the_users_tasks(
    vouched: Any, make_task: Callable[..., Task], user: User, caplog: pytest.LogCaptureFixture
) -> None:
    task = make_task()
    project = str(user.pk)

    assert ids(vouched(HTTP_X_PROJECT_ID=project)) == []
    assert vouched(f"/v2/tasks/{task.pk}", HTTP_X_PROJECT_ID=project).status_code == 404
    assert {record.getMessage() for record in caplog.records if "no_owner" in record.msg} == {
        'no_owner reason="the project is named like a user of Django"'
    }


@pytest.mark.parametrize("project", ["07", "7a", "-", "p1", "6f70656e737461636b20697320686572"])
def test_other_projects_are_owners_beside_djangos_users(
    vouched: Any, make_task: Callable[..., Task], project: Any
) -> None:
    theirs = make_task(owner=project)

    assert ids(vouched(HTTP_X_PROJECT_ID=project)) == [str(theirs.pk)]


def test_where_keystone_is_the_only_way_in_every_project_is_an_owner(
    vouched: Any, make_task: Callable[..., Task], settings: Any
) -> None:
    settings.IMAGE_TASKS = {"AUTHENTICATION_CLASSES": [KEYSTONE]}
    theirs = make_task(owner="7")

    assert ids(vouched(HTTP_X_PROJECT_ID="7")) == [str(theirs.pk)]
