"""Who is asking: OpenStack's token header, and what the host has besides."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from django_image_tasks.models import Task
from tests.conftest import SOURCE
from tests.wire.answers import error, ids

BODY = {"type": "import", "input": SOURCE}


@pytest.fixture
def token(user: User) -> Any:
    return Token.objects.create(user=user).key


# X-Auth-Token


def test_a_token_is_its_user(client: Client, token: Any, make_task: Callable[..., Task]) -> None:
    mine = make_task()

    assert ids(client.get("/v2/tasks", headers={"X-Auth-Token": token})) == [str(mine.pk)]


def test_a_token_costs_one_query(
    client: Client, token: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1 + 1 + 1):  # the token, the user's permission, the page
        client.get("/v2/tasks", headers={"X-Auth-Token": token})


@pytest.mark.parametrize("sent", ["bad", "é", "\0", "x" * 10_000, "a b", "\xff", "'", "\n"])
def test_a_token_that_is_nobodys_is_refused(client: Client, token: Any, sent: Any) -> None:
    response = client.get("/v2/tasks", HTTP_X_AUTH_TOKEN=sent)

    assert error(response) == (401, "Invalid token.")
    assert response["WWW-Authenticate"]


@pytest.mark.parametrize("sent", ["é", "\0", "\n"])
def test_a_token_that_nobody_can_have_is_not_looked_for(
    client: Client, db: None, sent: str, django_assert_num_queries: Any
) -> None:
    """PostgreSQL would not even compare with a NUL."""
    with django_assert_num_queries(0):
        client.get("/v2/tasks", HTTP_X_AUTH_TOKEN=sent)


def test_the_token_of_an_inactive_user_is_refused(client: Client, token: Any, user: User) -> None:
    User.objects.update(is_active=False)

    response = client.get("/v2/tasks", headers={"X-Auth-Token": token})

    assert error(response) == (401, "User inactive or deleted.")


def test_an_empty_token_is_none(client: Client, db: None) -> None:
    response = client.get("/v2/tasks", headers={"X-Auth-Token": ""})

    assert error(response) == (401, "Authentication credentials were not provided.")


def test_without_drfs_tokens_the_header_means_nothing(
    client: Client, user: User, settings: Any
) -> None:
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app != "rest_framework.authtoken"
    ]
    client.force_login(user)

    assert client.get("/v2/tasks", headers={"X-Auth-Token": "bad"}).status_code == 200


@pytest.mark.parametrize("sent", ["notused", "é", "x" * 10_000])
def test_where_anonymous_clients_are_let_in_a_made_up_token_is_none(
    client: Client, db: None, settings: Any, sent: Any
) -> None:
    settings.IMAGE_TASKS = {"ANONYMOUS_OWNER": "commons"}

    assert client.get("/v2/tasks", HTTP_X_AUTH_TOKEN=sent).status_code == 200


def test_where_anonymous_clients_are_let_in_a_token_is_still_its_user(
    client: Client, token: Any, make_task: Callable[..., Task], settings: Any
) -> None:
    settings.IMAGE_TASKS = {"ANONYMOUS_OWNER": "commons"}
    mine = make_task()

    assert ids(client.get("/v2/tasks", headers={"X-Auth-Token": token})) == [str(mine.pk)]


# The host's own


def test_the_hosts_default_classes_follow_ours(
    client: Client, user: User, make_task: Callable[..., Task]
) -> None:
    mine = make_task()
    user.set_password("secret")
    user.save()
    basic = base64.b64encode(b"ada:secret").decode()

    response = client.get("/v2/tasks", headers={"Authorization": f"Basic {basic}"})

    assert ids(response) == [str(mine.pk)]


@pytest.mark.parametrize(
    "credentials", [b"a\0b:c", b"ada:\0", b"\xff\xfe:x", b":", b"", b"x" * 10_000, "é:é".encode()]
)
def test_credentials_that_are_nobodys(client: Client, user: User, credentials: Any) -> None:
    header = f"Basic {base64.b64encode(credentials).decode()}"

    assert error(client.get("/v2/tasks", headers={"Authorization": header}))[0] == 401


@pytest.mark.parametrize("header", ["Basic", "Basic é", "Basic a b", "Basic ==", "\0", "Token x"])
def test_an_authorization_that_cannot_be_read(client: Client, db: None, header: Any) -> None:
    assert error(client.get("/v2/tasks", HTTP_AUTHORIZATION=header))[0] == 401


def test_a_session_that_is_nobodys(client: Client, db: None) -> None:
    cookie = 'sessionid="' + r"\000" * 32 + '"'

    assert error(client.get("/v2/tasks", HTTP_COOKIE=cookie))[0] == 401


@pytest.fixture
def browser(user: User) -> Any:
    """A client with a session, and no CSRF token."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    return browser


def test_a_session_reads(browser: Any) -> None:
    assert browser.get("/v2/tasks").status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"a&" * 5_000, "application/x-www-form-urlencoded"),
        (b"x" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"", "text/plain"),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_a_session_without_a_csrf_token_writes_nothing(
    browser: Any, body: Any, content_type: Any, accept: Any
) -> None:
    response = browser.post(
        "/v2/tasks", body, content_type=content_type, headers={"Accept": accept}
    )

    assert response.status_code == 403
    assert b"CSRF Failed" in response.content


def test_a_session_with_a_csrf_token_in_the_header_writes(browser: Any) -> None:
    browser.cookies["csrftoken"] = token = "x" * 32

    response = browser.post(
        "/v2/tasks", BODY, content_type="application/json", headers={"X-CSRFToken": token}
    )

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"csrfmiddlewaretoken=" + b"x" * 32, "application/x-www-form-urlencoded"),
        (b"x" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"a&" * 5_000, "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
    ],
)
def test_a_session_cannot_send_a_form(browser: Any, body: Any, content_type: Any) -> None:
    browser.cookies["csrftoken"] = token = "x" * 32

    response = browser.post(
        "/v2/tasks", body, content_type=content_type, headers={"X-CSRFToken": token}
    )

    assert error(response)[0] == 415
