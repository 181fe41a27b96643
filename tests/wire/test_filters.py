"""Parameters that tasks must equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_image_tasks import keyset
from django_image_tasks.models import Task
from tests.wire.answers import error, ids, names

WORDS = ["name", "owner", "image_id", "user_id", "request_id"]
ID = UUID("abcdefab-cdef-4abc-8def-abcdefabcdef")


@pytest.fixture
def named(make_task: Callable[..., Task]) -> Any:
    """Tasks with these names, the first one first in the default order."""

    def named(*names):
        return [make_task(name=name) for name in reversed(names)]

    return named


@pytest.mark.parametrize("param", WORDS)
def test_equality(api: APIClient, user: User, make_task: Callable[..., Task], param: Any) -> None:
    owner = str(user.pk)
    match = make_task(**{param: owner})
    if param != "owner":
        make_task(**{param: "other"})
    make_task(owner="somebody else")

    assert ids(api.get("/v2/tasks", {param: owner})) == [str(match.pk)]


@pytest.mark.parametrize("param", [*WORDS, "type", "status", "id", "created_at", "sort", "limit"])
def test_an_empty_value_is_none(api: APIClient, make_task: Callable[..., Task], param: Any) -> None:
    make_task()

    assert len(ids(api.get(f"/v2/tasks?{param}="))) == 1


@pytest.mark.parametrize(
    "name", ["A", "a ", " a", "à", "a\u0300", "\U0001f4be", "%", "_", "'", "\\"]
)
def test_text_is_equal_by_code_point(api: APIClient, named: Any, name: Any) -> None:
    named("a", name, "\U0001f4bf", "ab")

    assert names(api.get("/v2/tasks", {"name": name})) == [name]


@pytest.mark.parametrize("value", ["x" * 10_000, "\0", "a\0", "é" * 5_000, "\U0001f4be" * 2_500])
@pytest.mark.parametrize("param", WORDS)
def test_what_no_task_can_hold_matches_nothing(
    api: APIClient, make_task: Callable[..., Task], param: Any, value: Any
) -> None:
    make_task(name="a")

    assert ids(api.get("/v2/tasks", {param: value})) == []


@pytest.mark.parametrize("value", ["\0", "in:a,\0", "in:\0"])
def test_a_nul_leaves_other_words_alone(api: APIClient, named: Any, value: Any) -> None:
    named("a", "b")

    assert names(api.get("/v2/tasks", {"name": ["a", value]})) == ["a"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=a&name=b", "a b"),
        ("name=a&name=&name=a", "a"),
        ("name=in:a,b", "a b"),
        ("name=in:a,c&name=b", "a b c"),
        ('name=in:"a"', "a"),
        ('name=in:"a","b,c"', "a b,c"),
        ('name=in:"in:a"', "in:a"),
        ("name=in:in:a", "in:a"),
        ("name=In:a", ""),
        ("name=a,b", ""),
        ("name=nobody", ""),
    ],
)
def test_repeated_values_and_lists_mean_or(
    api: APIClient, named: Any, query: Any, expected: Any
) -> None:
    named("a", "b", "c", "b,c", "in:a")

    assert names(api.get(f"/v2/tasks?{query}")) == expected.split()


@pytest.mark.parametrize("value", ["in:", "in:,", "in:a,", "in:,a", 'in:""', 'in:"a"b', 'in:"a'])
@pytest.mark.parametrize("param", [*WORDS, "id", "type", "status"])
def test_an_empty_or_broken_list_is_refused(api: APIClient, param: Any, value: Any) -> None:
    response = api.get("/v2/tasks", {param: value})

    assert error(response) == (400, f"Invalid {param} value: {value}")


@pytest.mark.parametrize("value", ["IMPORT", "api_image_import", " import", "\0", "x" * 10_000])
def test_an_unregistered_type_is_refused(api: APIClient, value: Any) -> None:
    assert error(api.get("/v2/tasks", {"type": value})) == (400, f"Invalid type value: {value}")


def test_a_retired_type_is_no_error(
    api: APIClient, make_task: Callable[..., Task], settings: Any
) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None, "retired": None}}
    task = make_task(type="retired")
    make_task()

    assert ids(api.get("/v2/tasks?type=retired")) == [str(task.pk)]


@pytest.mark.parametrize("status", ["pending", "processing", "success", "failure"])
def test_status(api: APIClient, make_task: Callable[..., Task], status: Any) -> None:
    tasks = {
        status: make_task(status=status)
        for status in ("pending", "processing", "success", "failure")
    }

    assert ids(api.get(f"/v2/tasks?status={status}")) == [str(tasks[status].pk)]


@pytest.mark.parametrize("value", ["PENDING", "deleted", "pending,failure", "\0", "é" * 5_000])
def test_an_unknown_status_is_refused(api: APIClient, value: Any) -> None:
    assert error(api.get("/v2/tasks", {"status": value})) == (400, f"Invalid status value: {value}")


def test_an_unknown_value_in_a_list_is_refused(api: APIClient) -> None:
    response = api.get("/v2/tasks?status=in:pending,foo&status=bar")

    assert error(response) == (400, "Invalid status value: foo")


@pytest.mark.parametrize("spelling", [str(ID), ID.hex, str(ID).upper(), ID.hex.upper()])
def test_an_id_in_any_spelling(
    api: APIClient, make_task: Callable[..., Task], spelling: Any
) -> None:
    make_task()
    make_task(id=ID)

    assert ids(api.get(f"/v2/tasks?id={spelling}")) == [str(ID)]
    assert ids(api.get(f"/v2/tasks?id=in:{spelling},{UUID(int=1)}")) == [str(ID)]


@pytest.mark.parametrize("value", ["7", "\0", f"{{{ID}}}", f"{ID} ", "١" * 32, "f" * 10_000])
def test_what_is_no_id_is_refused(api: APIClient, value: Any) -> None:
    assert error(api.get("/v2/tasks", {"id": value})) == (400, f"Invalid id value: {value}")


def test_parameters_mean_and(api: APIClient, make_task: Callable[..., Task]) -> None:
    make_task(name="a", status="failure")
    make_task(name="b")
    match = make_task(name="a")

    assert ids(api.get("/v2/tasks?name=a&status=pending")) == [str(match.pk)]


@pytest.mark.parametrize(
    "query",
    ["foo=bar", "deleted=true", "input=x", "message=x", "result=x", "progress=7", "attempts=7"]
    + ["visibility=all", "offset=1", "page=2", "format=xml", "search=x", "ordering=x", "%00=%00"]
    + ["name__in=x", "status__exact=x", "owner__id=x", "__class__=x", f"{'x' * 5_000}=1", "%FF=1"],
)
def test_anything_else_is_ignored(
    api: APIClient, make_task: Callable[..., Task], query: Any
) -> None:
    make_task()

    assert len(ids(api.get(f"/v2/tasks?{query}"))) == 1


def test_a_hundred_values_may_match(api: APIClient, named: Any) -> None:
    named("w0", "w99", "w100")
    words = ",".join(f"w{n}" for n in range(50))
    query = f"name=in:{words}&" + "&".join(f"name=w{n}" for n in range(50, 100))

    assert names(api.get(f"/v2/tasks?{query}")) == ["w0", "w99"]


@pytest.mark.parametrize("param", [*WORDS, "id", "type", "status"])
def test_more_values_are_refused(api: APIClient, param: Any) -> None:
    query = f"{param}=in:{','.join(['x'] * 60)}" + f"&{param}=x" * 41

    response = api.get(f"/v2/tasks?{query}")

    assert error(response) == (400, f"Too many values for {param}: at most 100.")


@pytest.mark.parametrize("few", [0, 1, 1000])
@pytest.mark.parametrize("sort", ["created_at", "name:asc", "expires_at"])
def test_few_and_many_matches_are_shown_in_the_same_order(
    api: APIClient,
    named: Any,
    make_task: Callable[..., Task],
    monkeypatch: pytest.MonkeyPatch,
    few: Any,
    sort: Any,
) -> None:
    monkeypatch.setattr(keyset, "FEW", few)
    named("b", "a", "b", "c")
    make_task(name="a", owner="somebody else")
    query = f"/v2/tasks?name=in:a,b&sort={sort}"
    expected = {"created_at": ["b", "a", "b"], "name:asc": ["a", "b", "b"]}

    first = api.get(f"{query}&limit=1").json()["tasks"]
    rest = api.get(f"{query}&marker={first[0]['id']}").json()["tasks"]

    assert [task["name"] for task in first + rest] == expected.get(sort, ["b", "a", "b"])
