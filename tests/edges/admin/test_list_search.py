from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from django_image_tasks.admin import bounded, filters
from django_image_tasks.models import Task

from .pages import LIST, LIST_QUERIES, Make, html_of, listed

PK = "0a1b2c3d-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    "term",
    [
        PK,
        PK.upper(),
        PK.replace("-", ""),
        "0a1b",
        "0A1B2C3D-0000-4",
        "0a1b2c3d00004",
        "somebody",
        "Debian",
        "  Debian 13  ",
        "Debian 13 (trixie)",
    ],
)
def test_search_finds_an_id_an_owner_and_the_beginning_of_either_id_or_name(
    operator: Client, make_task: Make, term: str
) -> None:
    make_task(name="another", pk="0a1c0000-0000-4000-8000-000000000001")
    make_task(name="before", pk="0a1affff-ffff-4fff-bfff-ffffffffffff")
    make_task(pk=PK, owner="somebody", name="Debian 13 (trixie)")
    assert listed(operator, q=term) == ["Debian 13 (trixie)"]


@pytest.mark.parametrize(
    "term",
    ["0a1", "some", "trixie", "%", "_ebian", "0a1b-xyz", "0000-4000", "\u0660" * 4],
)
def test_search_finds_no_other_parts(operator: Client, make_task: Make, term: str) -> None:
    make_task(pk=PK, owner="somebody", name="Debian 13 (trixie)")
    assert listed(operator, q=term) == []


@pytest.mark.parametrize("name", ["Käse", "\U0010ffff", "日本", "a'b\"c\\d"])
def test_search_finds_any_name(operator: Client, make_task: Make, name: str) -> None:
    make_task(name=name + "!")
    assert listed(operator, q=name) == [name + "!"]


@pytest.fixture
def failed(make_task: Make) -> None:
    for number, message in enumerate(["Source answered 404", "Checksum differs", "404 again"]):
        task = make_task(name=f"task {number}")
        task.start("worker")
        task.fail(message)
        Task.objects.filter(pk=task.pk).update(finished_at=now() + timedelta(seconds=number))


def test_search_finds_a_part_of_a_failures_message(operator: Client, failed: None) -> None:
    assert sorted(listed(operator, q="404")) == ["task 0", "task 2"]
    assert listed(operator, q="CHECKSUM") == ["task 1"]


def test_search_looks_at_the_messages_of_recent_failures_alone(
    operator: Client, failed: None, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "MOST_MATCHES", 2)
    make_task(name="not failed", message="404")
    assert listed(operator, q="404") == ["task 2"]


def test_what_is_found_in_one_way_hides_nothing_else(operator: Client, make_task: Make) -> None:
    make_task(name="by id", pk="cafe0000-0000-4000-8000-000000000001")
    make_task(name="by owner", owner="cafe")
    make_task(name="Cafe by name")
    make_task(name="by user", user_id="cafe")
    make_task(name="by request", request_id="req-cafe")
    make_task(name="by worker").start("cafe:1:2")
    ended = make_task(name="by message")
    ended.start("worker")
    ended.fail("No cafe in this town")
    make_task(name="another")
    assert {*listed(operator, q="cafe")} == {
        *("by id", "by owner", "Cafe by name", "by user", "by request", "by worker", "by message")
    }


def test_an_owner_has_all_their_tasks_found(
    operator: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "MOST_MATCHES", 2)
    for number in range(4):
        make_task(name=f"task {number}", owner="somebody")
    assert len(listed(operator, q="somebody")) == 4


@pytest.mark.parametrize(
    ("column", "value", "term"),
    [
        ("image_id", PK, PK.upper()),
        ("request_id", "req-0b8f", "req-0b8f"),
        ("request_id", "req-0b8f", "0b8f"),
        ("user_id", "mia", "mia"),
    ],
)
def test_search_finds_what_people_have_in_hand(
    operator: Client, make_task: Make, column: str, value: str, term: str
) -> None:
    make_task(name="another")
    make_task(name="found", **{column: value})
    assert listed(operator, q=term) == ["found"]


@pytest.mark.parametrize("term", ["debian 13", "DEBIAN 13", "Debian 13"])
@pytest.mark.parametrize("name", ["debian 13 (x)", "DEBIAN 13 (x)", "Debian 13 (x)"])
def test_search_finds_a_name_in_its_usual_cases(
    operator: Client, make_task: Make, name: str, term: str
) -> None:
    make_task(name=name)
    assert listed(operator, q=term) == [name]


def test_a_search_for_nothing_says_what_was_looked_for(operator: Client, make_task: Make) -> None:
    make_task(name="another")
    assert "Nothing is called “x&lt;y”" in html_of(operator, q="x<y")
    assert "Nothing is called" not in html_of(operator, q="another")


def test_an_owner_may_look_like_an_id(operator: Client, make_task: Make) -> None:
    make_task(name="mine", owner=PK.replace("-", ""))
    assert listed(operator, q=PK.replace("-", "")) == ["mine"]


def test_filters_narrow_what_is_found(operator: Client, make_task: Make) -> None:
    make_task(name="image 1")
    make_task(name="image 2").start("worker")
    assert listed(operator, q="image", status__exact="pending") == ["image 1"]


def test_too_many_matches_are_cut_off_and_said_to_be(
    operator: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "MOST_MATCHES", 2)
    for number in (3, 1, 2):
        make_task(name=f"image {number}")
    assert sorted(listed(operator, q="image")) == ["image 1", "image 2"]
    assert "Only the first 2 matches are shown." in html_of(operator, q="image")
    assert "Only the first" not in html_of(operator, q="image 1")


def test_a_search_takes_few_queries_none_of_them_over_the_table(
    operator: Client, failed: None
) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert listed(operator, q="0123456789abcdef0123456789abcdef") == []
    statements = [query["sql"] for query in queries]
    assert len(statements) == LIST_QUERIES + 10
    assert not [sql for sql in statements if "LIKE" in sql or "COUNT" in sql]


def test_a_nul_is_no_search(operator: Client, failed: None) -> None:
    assert operator.get(f"{LIST}?q=%00").status_code == 200


def test_the_page_says_what_can_be_searched(operator: Client, db: None) -> None:
    assert "the beginning of a name; a worker" in html_of(operator)
