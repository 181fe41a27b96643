"""What an operator gets while the database is away, and what a cache may keep of the admin."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import translation

from django_image_tasks.models import Task
from tests.databases import away, killed_at, needs_server

from .pages import LIST, LIVE, Make, url_of

PAGES = [LIST, LIVE, LIST + "add/", LIST + "add/?type=import"]
OF_A_TASK = ["change", "cancel", "retry", "history"]


@pytest.fixture
def boss(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def paths(make_task: Make) -> list[str]:
    """Every page of ours."""
    task = make_task()
    return [
        *PAGES,
        *(url_of(task, page) for page in OF_A_TASK),
        url_of(task) + "?_live=1",
    ]


def test_nothing_of_the_admin_is_cached(boss: Client, paths: list[str]) -> None:
    for path in paths:
        response = boss.get(path)
        assert response.status_code == 200, path
        assert {"no-store", "private"} <= {*response["Cache-Control"].split(", ")}, path


@pytest.mark.parametrize("action", ["cancel_selected", "export_as_csv", "export_as_json"])
@pytest.mark.parametrize("confirmed", [{}, {"_confirmed": "1"}])
def test_nothing_that_an_action_answers_is_cached(
    boss: Client, make_task: Make, action: str, confirmed: dict[str, str]
) -> None:
    chosen = {"action": action, "_selected_action": str(make_task().pk)}

    response = boss.post(LIST, chosen | confirmed)

    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("atomic", [False, True])
def test_an_operator_is_told_in_words(
    transactional_db: None,
    boss: Client,
    paths: list[str],
    atomic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)

    with away():
        responses = [boss.get(path) for path in paths]

    for response in responses:
        assert is_unavailable(response)
        assert "<h1>Service unavailable</h1>" in response.content.decode()


def is_unavailable(response: Any) -> bool:
    if response.status_code != 503:
        return False
    assert response["Retry-After"] == "5"
    assert "no-store" in response["Cache-Control"]
    return True


def test_the_words_are_translated(transactional_db: None, boss: Client) -> None:
    with away(), translation.override("de"):
        assert "<h1>Dienst nicht verfügbar</h1>" in boss.get(LIST).content.decode()


def test_a_connection_may_be_lost_at_any_query(
    transactional_db: None, boss: Client, paths: list[str]
) -> None:
    needs_server()

    for number in count():
        with killed_at(number) as queries:
            response = boss.get(f"{LIST}?overview=1")
        if len(queries) <= number:
            break
        assert is_unavailable(response), queries
    assert number > 3
    assert response.status_code == 200


def test_a_missing_table_is_a_fault(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task._meta, "db_table", "nowhere")

    assert boss.get(LIST).status_code == 500
