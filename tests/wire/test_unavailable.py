"""A database that is away is a 503, wherever it is missed; any other fault stays a 500."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count, product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.signals import got_request_exception
from django.db import connection
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from django_image_tasks.signals import task_finished
from tests.conftest import SOURCE
from tests.databases import away, killed_at, needs_server, other_connection
from tests.wire.answers import error
from tests.wire.pages import Page

BODY = {"type": "import", "input": SOURCE}
MESSAGE = "The database is away or busy. Try again."
REQUESTS = ["GET /v2/tasks", "GET /v2/tasks/{}", "POST /v2/tasks"]
REQUESTS += [f"POST /v2/tasks/{{}}/actions/{verb}" for verb in ("cancel", "retry")]


@pytest.fixture
def token(transactional_db: None, user: User) -> Any:
    """A client with a token, to whom the server's faults are answers."""
    return APIClient(
        raise_request_exception=False,
        headers={"X-Auth-Token": Token.objects.create(user=user).key},
    )


@pytest.fixture
def ask(token: Any, make_task: Callable[..., Task]) -> Any:
    """One of ``REQUESTS``, about a task that allows it."""

    def prepare(request: str, accept: str = "application/json") -> Any:
        method, path = request.split()
        status = "failure" if path.endswith("retry") else "pending"
        path = path.format(make_task(status=status).pk)
        headers = {"Accept": accept}
        if method == "GET":
            return lambda: token.get(path, headers=headers)
        return lambda: token.post(path, BODY, format="json", headers=headers)

    return prepare


@pytest.fixture(params=[False, True], ids=["autocommit", "atomic"])
def transactions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", request.param)


def is_unavailable(response: Any) -> bool:
    is_unavailable = bool(response.status_code == 503)
    # A new task says when to ask for it again.
    assert response.headers.get("Retry-After") in (["5"] if is_unavailable else [None, "1"])
    assert response["Cache-Control"] == "private, no-cache"
    return is_unavailable


def test_a_program_is_told_when_to_come_back(ask: Any, transactions: Any) -> None:
    sends = [ask(request) for request in REQUESTS]

    with away():
        responses = [send() for send in sends]

    for response in responses:
        assert error(response) == (503, MESSAGE)
        assert list(response.json()) == ["serviceUnavailable"]
        assert is_unavailable(response)


def test_a_browser_gets_a_page(ask: Any, transactions: Any) -> None:
    sends = [ask(request, "text/html") for request in REQUESTS]

    with away():
        responses = [send() for send in sends]

    for response in responses:
        assert is_unavailable(response)
        assert MESSAGE in Page(response).texts["p"]


def test_a_browsers_session_cannot_be_looked_up(
    transactional_db: None, client: Client, user: User, transactions: Any
) -> None:
    client.force_login(user)

    with away():
        assert is_unavailable(client.get("/v2/tasks", headers={"Accept": "text/html"}))


def test_a_connection_may_be_lost_at_any_query(
    ask: Any, transactions: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_server()
    # An end is announced behind the answer, where somebody hears of it: an earlier test may have.
    monkeypatch.setattr(task_finished, "receivers", [])
    # The page asks for the owner once more while it is rendered.
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.owner_from_database"}

    requests = [*product(REQUESTS, ["application/json"]), ("GET /v2/tasks", "text/html")]
    for request, media_type in requests:
        for number in count():
            send = ask(request, media_type)
            with killed_at(number) as queries:
                response = send()
            if len(queries) <= number:
                break
            # What is published on commit is nothing that a client waits for.
            is_published = "django_tasks" in queries[number]
            assert is_unavailable(response) or is_published, (request, media_type, queries)
            # What was done when the connection broke is not done again.
            assert send().status_code in (200, 201, 202, 409)
        assert number > 2
        assert response.status_code < 300


def test_a_locked_row(ask: Any) -> None:
    needs_server()
    send = ask("POST /v2/tasks/{}/actions/cancel")
    limit = {"postgresql": "lock_timeout = '50ms'", "mysql": "innodb_lock_wait_timeout = 1"}

    with connection.cursor() as cursor, other_connection() as other, other.cursor() as others:
        cursor.execute(f"SET {limit[connection.vendor]}")
        other.set_autocommit(False)
        others.execute(f"SELECT id FROM {Task._meta.db_table} FOR UPDATE")
        response = send()
        other.rollback()
    connection.close()

    assert is_unavailable(response)
    assert send().status_code == 202


def test_a_locked_file(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("A server locks rows.")
    send = ask("POST /v2/tasks")
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0)

    with other_connection() as other, other.cursor() as others:
        others.execute("BEGIN IMMEDIATE")
        response = send()
        others.execute("ROLLBACK")

    assert is_unavailable(response)
    assert send().status_code == 201
    connection.close()


def test_it_is_a_warning_in_djangos_log_and_no_fault(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[Any] = []

    def receive(**kwargs: Any) -> None:
        faults.append(kwargs)

    send = ask("GET /v2/tasks")
    got_request_exception.connect(receive)
    with away():
        send()
    got_request_exception.disconnect(receive)

    [record] = [record for record in caplog.records if record.name == "django.request"]
    assert record.getMessage() == "Service Unavailable: /v2/tasks"
    assert (record.levelno, record.status_code) == (logging.WARNING, 503)
    assert record.exc_info
    assert faults == []


def test_a_missing_table_is_a_fault(
    ask: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    send = ask("GET /v2/tasks/{}")
    settings.IMAGE_TASKS = {"KEEP_SQL": False}
    monkeypatch.setattr(Task._meta, "db_table", "nowhere")

    response = send()

    assert error(response) == (500, "The server could not process the request.")
