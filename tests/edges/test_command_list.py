from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from django_filters import CharFilter
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from django_image_tasks.filters import TaskFilterSet
from django_image_tasks.management.terminal.text import width
from django_image_tasks.models import Task
from tests.edges.commands import Screen, image_tasks

Make = Callable[..., Task]

DAY = datetime(2026, 1, 31, tzinfo=UTC)


class HostsFilterSet(TaskFilterSet):
    """As a host may set it, with a parameter of its own."""

    begins_with = CharFilter("name", "startswith")


class Unlucky(TaskFilterSet):
    """With names that the command has options of."""

    json = CharFilter("name")
    settings = CharFilter("name")


@pytest.fixture
def tasks(make_task: Make) -> list[Task]:
    return [
        make_task(name=f"task {number}", owner=owner, created_at=DAY + timedelta(hours=number))
        for number, owner in enumerate(["1", "1", "2"])
    ]


@pytest.fixture
def admin_api(db: None) -> APIClient:
    api = APIClient()
    api.force_authenticate(User.objects.create_superuser("root"))
    return api


def names(*args: Any) -> list[str]:
    [answer] = image_tasks("list", "--json", *args).answers
    return [task["name"] for task in answer["tasks"]]


@pytest.mark.parametrize(
    "query",
    [
        [],
        [("limit", "1")],
        [("owner", "1"), ("limit", "1")],
        [("owner", "1"), ("owner", "2")],
        [("name", "in:task 0,task 2")],
        [("created_at", "gte:2026-01-31T01:00:00Z"), ("created_at", "lt:2026-01-31T02:00:00Z")],
        [("sort_key", "owner"), ("sort_key", "name"), ("sort_dir", "asc")],
        [("sort", "owner:asc,name")],
        [("status", "failure")],
        [("limit", "0")],
    ],
)
def test_the_answer_is_the_apis(
    tasks: list[Task], admin_api: APIClient, query: list[tuple[str, str]]
) -> None:
    options = [f"--{name.replace('_', '-')}={value}" for name, value in query]
    path = "/v2/tasks?" + "&".join(f"{name}={value}" for name, value in query)
    [answer] = image_tasks("list", "--json", *options).answers
    asked = admin_api.get(path).json()
    assert answer["tasks"] == asked["tasks"]
    assert list(answer) == list(asked)


@pytest.mark.parametrize(
    "option",
    [
        "--status=stopped",
        "--type=export",
        "--id=7",
        "--created-at=yesterday",
        "--name=in:",
        "--sort-key=size",
        "--sort-dir=up",
        "--sort=name:up",
        "--limit=-1",
        "--limit=many",
        "--marker=7",
        "--marker=00000000-0000-4000-8000-000000000000",
    ],
)
def test_what_the_api_refuses_is_refused_in_its_words(admin_api: APIClient, option: str) -> None:
    name, _, value = option.removeprefix("--").partition("=")
    refusal = admin_api.get("/v2/tasks", {name.replace("-", "_"): value}).json()["badRequest"]
    assert image_tasks("list", option) == ("", refusal["message"], 1)


def test_a_table_for_people(tasks: list[Task]) -> None:
    Task.objects.filter(pk=tasks[1].pk).update(progress=7, owner="somebody")
    assert image_tasks("list", "--sort=created_at:asc").lines == [
        "ID                                    STATUS   %  TYPE    OWNER     "
        "CREATED AT            NAME",
        f"{tasks[0].pk}  pending  0  import  1         2026-01-31T00:00:00Z  task 0",
        f"{tasks[1].pk}  pending  7  import  somebody  2026-01-31T01:00:00Z  task 1",
        f"{tasks[2].pk}  pending  0  import  2         2026-01-31T02:00:00Z  task 2",
    ]


def test_columns_are_straight_whatever_the_script(make_task: Make) -> None:
    for owner in ("a", "東京", "Zu\u0308rich"):
        make_task(owner=owner)
    lines = image_tasks("list", "--sort=owner:asc").lines[1:]
    for line, cell in zip(lines, ("Zu\u0308rich", "a     ", "東京  "), strict=True):
        assert f"  import  {cell}  20" in line


def test_no_terminal_obeys_a_name(make_task: Make) -> None:
    make_task(name="\x1b[31mred\x07 \u202etfel\nnext")
    assert image_tasks("list").lines[1].endswith("�[31mred� �tfel next")


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--sort-dir=asc"],
        ["--sort-key=owner", "--sort-key=name", "--sort-dir=desc", "--sort-dir=asc"],
        ["--name", 'say "hi"', "--name=it's two", "--name=-x", "--name=--limit", "--name=$HOME;`"],
        ["--owner=in:1,2", "--owner=3 and more", "--created-at", "gte:2026-01-31T00:00:00Z"],
        ["--settings=tests.settings", "--pythonpath=.", "--marker=", "--name="],
    ],
)
def test_the_last_line_is_the_command_for_the_next_page(
    make_task: Make, settings: Any, args: list[str]
) -> None:
    settings.IMAGE_TASKS = {"LIMIT_PARAM_DEFAULT": 1}
    wanted = ['say "hi"', "it's two", "-x", "--limit"]
    for number, name in enumerate(wanted):
        make_task(name=name, owner=str(number % 2 + 1), created_at=DAY + timedelta(hours=number))
    seen = []
    following = ["list", *args]
    while following:
        ran = image_tasks(*following)
        seen.append(ran.lines[1].rpartition("  ")[2])
        told, _, line = ran.err.partition("\n")
        assert told in ("More:", "")
        words = shlex.split(line)
        assert words[:3] in (["python", "manage.py", "image_tasks"], [])
        following = words[3:]
        assert sum("--marker" in word for word in following) <= 1
    assert sorted(seen) == sorted(wanted)


def test_scripts_get_no_hint(tasks: list[Task]) -> None:
    ran = image_tasks("list", "--limit=1", "--json")
    assert ran.err == ""
    assert ran.answers[0]["next"] == f"/v2/tasks?limit=1&marker={tasks[2].pk}"


def test_no_tasks(db: None) -> None:
    assert image_tasks("list") == ("", "No tasks.\n", 0)
    assert image_tasks("list", "--json").answers[0]["tasks"] == []


def test_a_hosts_own_filter_is_an_option(tasks: list[Task], settings: Any) -> None:
    settings.IMAGE_TASKS = {"FILTERSET_CLASS": f"{__name__}.HostsFilterSet"}
    assert names("--begins-with=task") == ["task 2", "task 1", "task 0"]
    assert names("--begins-with=none") == []


def test_a_page_takes_one_query(
    tasks: list[Task], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1) as queries:
        image_tasks("list")
    assert "COUNT" not in queries[0]["sql"]


def test_bytes_that_are_no_text_find_nothing(tasks: list[Task]) -> None:
    assert names("--name", "\udcff") == []


def test_a_hosts_filter_may_be_called_anything(tasks: list[Task], settings: Any) -> None:
    settings.IMAGE_TASKS = {"FILTERSET_CLASS": f"{__name__}.Unlucky"}
    assert image_tasks("list", "--settings=task 1").lines[1].endswith("task 1")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("text", ["x" * 255, "東京" * 100, "-"])
def test_a_line_of_a_list_ends_where_the_terminal_ends(
    make_task: Make, screen: Screen, columns: int, text: str
) -> None:
    task = make_task(name=text, owner=text, created_at=now() - timedelta(hours=3, seconds=1))
    screen.size(columns)
    _, line = image_tasks("list", stdout=screen).lines
    start = f"{task.pk}  pending  0  " + ("import  " if columns == 120 else "")
    assert line.startswith(start + text[:5])
    assert "  3 h  " in line
    assert width(line) <= columns
    if text != "-":
        assert width(line) >= columns - 2
        assert line.endswith("…")


def test_a_pipe_gets_the_whole_of_a_long_name(
    make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    make_task(name="x" * 255)
    assert image_tasks("list").lines[1].endswith("  " + "x" * 255)


@pytest.mark.parametrize(("columns", "is_shown"), [(100, False), (140, True)])
def test_a_wide_terminal_has_room_for_messages(
    make_task: Make, screen: Screen, columns: int, is_shown: bool
) -> None:
    make_task(name="broken", status="failure", message="No such host\nat all", finished_at=now())
    screen.size(columns)
    lines = image_tasks("list", stdout=screen).lines
    assert lines[1].endswith("  broken  No such host at all") is is_shown
