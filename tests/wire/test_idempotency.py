"""``Idempotency-Key`` (docs/reference/http.md, "Sending it again")."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.utils import timezone
from rest_framework.test import APIClient

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.idempotency import Repeatable
from django_image_tasks.models import Task
from tests.conftest import SOURCE
from tests.databases import needs_server
from tests.wire.answers import error

BODY = {"type": "import", "input": SOURCE}
REUSED = (422, "This Idempotency-Key was used with another body.")
NO_KEY = (400, "An Idempotency-Key is 1 to 255 printable ASCII characters.")


@pytest.fixture
def send(api: APIClient) -> Callable[..., Any]:
    def send(key: str = "k", body: Any = BODY, api: APIClient = api) -> Any:
        return api.post("/v2/tasks", body, format="json", headers={"Idempotency-Key": key})

    return send


def test_the_same_request_is_answered_with_its_task(send: Any) -> None:
    first, again = send(), send()

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Location"] == first["Location"]
    assert again.content == first.content
    assert Task.objects.count() == 1


def test_the_task_is_told_as_it_is_now(send: Any) -> None:
    send()
    Task.objects.get().start("worker")

    assert send().json()["status"] == "processing"


@pytest.mark.parametrize(
    "body",
    [
        {"input": {"a": 1}},
        {"type": "export"},
        {"name": "other"},
        {"name": ""},
        {"input": []},
        {"input": {**SOURCE, "image_properties": {"min_ram": 1}}},
    ],
)
def test_another_body_is_refused(send: Any, body: Any) -> None:
    send(body={**BODY, "input": {**SOURCE, "image_properties": {"min_ram": True}}})

    assert error(send(body={**BODY, **body})) == REUSED
    assert Task.objects.count() == 1


def test_spaces_order_and_what_is_ignored_do_not_make_another_body(
    api: APIClient, send: Any
) -> None:
    named = {**SOURCE, "image_properties": {"name": "a"}}
    location = send(body={"type": "import", "input": named})["Location"]
    text = (
        '{ "input": {"image_properties": {"name": "a"}, "import_from": "%s"},'
        ' "status": "x", "type": "import"}'
    )

    again = api.post(
        "/v2/tasks",
        text % SOURCE["import_from"],
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )

    assert again["Location"] == location


def test_a_refused_body_uses_no_key_up(send: Any) -> None:
    assert send(body={"type": "import", "input": {}}).status_code == 400

    assert send().status_code == 201


def test_without_a_key_each_request_makes_a_task(create: Callable[..., Any]) -> None:
    assert create()["Location"] != create()["Location"]
    assert [*Task.objects.values_list("idempotency_key", flat=True)] == [None, None]


@pytest.mark.parametrize("key", ["", '""', "é", "k" * 256, "a\tb", "\x7f"])
def test_what_is_no_key(send: Any, key: str) -> None:
    assert error(send(key)) == NO_KEY
    assert not Task.objects.exists()


@pytest.mark.parametrize("key", ["k" * 255, '"', "a, b", "8e03978e-40d5-43dd-bc93-6894a57f9324"])
def test_a_key_may_stand_in_quotes(send: Any, key: str) -> None:
    assert send(key)["Location"] == send(f'"{key}"')["Location"]


def test_the_key_of_a_task_that_has_ended_and_not_expired_is_taken(send: Any) -> None:
    first = send()
    now = timezone.now()
    Task.objects.update(status="failure", finished_at=now, expires_at=now + timedelta(hours=1))

    assert send()["Location"] == first["Location"]
    assert Task.objects.count() == 1


def test_the_key_of_an_expired_task_is_free(send: Any) -> None:
    first = send()
    ended = timezone.now() - timedelta(hours=1)
    Task.objects.update(status="failure", finished_at=ended, expires_at=ended)

    other = {**BODY, "name": "other"}
    assert send(body=other)["Location"] != first["Location"]
    assert error(send()) == REUSED
    assert send(body=other).status_code == 201
    assert Task.objects.count() == 2


def test_a_key_outlasts_the_limits_that_the_first_request_passed(send: Any, settings: Any) -> None:
    location = send()["Location"]
    settings.IMAGE_TASKS = {
        "HANDLERS": {"import": None},
        "MAX_INPUT_SIZE": 1,
        "TASK_VALIDATOR": "tests.wire.test_idempotency.refuse",
    }

    assert send()["Location"] == location


def refuse(task: Task) -> None:
    raise InvalidInput("No.")


def test_a_body_that_no_database_can_keep_is_told_of_before_its_key(send: Any) -> None:
    send()

    assert send(body={**BODY, "name": "\0"}).status_code == 400


def test_whose_transaction_does_not_show_the_first_task_is_to_try_again(
    send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send()
    monkeypatch.setattr(Repeatable, "find", lambda self: None)

    assert send().status_code == 503
    assert Task.objects.count() == 1


def test_each_owner_has_keys_of_their_own(send: Any, user: User) -> None:
    """Nobody learns from 201 and 422 which keys another owner has used."""
    bob = APIClient()
    bob.force_authenticate(User.objects.create_user("bob"))
    send("used")

    used, unused = send("used", api=bob), send("unused", api=bob)
    assert (used.status_code, unused.status_code) == (201, 201)
    assert used.json().keys() == unused.json().keys()
    assert {task.owner for task in Task.objects.all()} == {used.json()["owner"], str(user.pk)}
    assert error(send("used", {**BODY, "name": "x"}, bob)) == REUSED
    assert error(send("unused", {**BODY, "name": "x"}, bob)) == REUSED
    assert send("fresh", {**BODY, "name": "x"}, bob).status_code == 201


def test_a_key_counts_only_for_who_may_create(send: Any) -> None:
    assert send("", api=APIClient()).status_code == 401


def test_a_key_costs_one_query(
    create: Any, send: Any, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(2):
        create()
    # The look-up, and a savepoint around the insert.
    with django_assert_num_queries(5):
        send()
    with django_assert_num_queries(1):
        send()


@pytest.fixture
def at_once(user: User, send: Any) -> Callable[[], list[Any]]:
    """The answers to eight equal requests at the same moment."""

    def post(barrier: Barrier) -> Any:
        api = APIClient(raise_request_exception=False)
        api.force_authenticate(user)
        connection.ensure_connection()
        barrier.wait()
        try:
            return send(api=api)
        finally:
            connections.close_all()

    def at_once() -> list[Any]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(post, [Barrier(8)] * 8))

    return at_once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [False, True], ids=["autocommit", "atomic"])
def test_equal_requests_at_once_make_one_task(
    monkeypatch: pytest.MonkeyPatch, at_once: Any, atomic: bool
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic)

    for _ in range(5):
        answers = [response.content for response in at_once()]

        [task] = Task.objects.all()
        assert {*answers} == {answers[0]}
        assert str(task.pk).encode() in answers[0]
        task.delete()


@pytest.mark.django_db(transaction=True)
def test_who_does_not_see_the_first_task_yet_is_to_try_again(
    monkeypatch: pytest.MonkeyPatch, at_once: Any
) -> None:
    needs_server()
    database = connections.settings["default"]
    level = "repeatable read" if connection.vendor == "mysql" else 2  # psycopg's REPEATABLE_READ
    options = {**database["OPTIONS"], "isolation_level": level}
    monkeypatch.setitem(database, "ATOMIC_REQUESTS", True)
    monkeypatch.setitem(database, "OPTIONS", options)

    for _ in range(5):
        responses = at_once()

        [task] = Task.objects.all()
        assert {response.status_code for response in responses} <= {201, 503}
        assert {r["Location"][-36:] for r in responses if "Location" in r} == {str(task.pk)}
        task.delete()
