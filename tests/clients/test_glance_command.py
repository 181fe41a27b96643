"""The ``glance`` command."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from subprocess import CompletedProcess

import pytest
from django.contrib.auth.models import User

from django_image_tasks.models import Task
from tests.clients.commands import only_at_root, rows, run
from tests.clients.tasks import SOURCE, MakeTasks, ids
from tests.requirements import needs_program

Glance = Callable[..., CompletedProcess[str]]


@pytest.fixture
def glance(root: str, token: str) -> Glance:
    return partial(run, needs_program("glance"), "--os-auth-token", token, "--os-image-url", root)


def test_lists_every_page(
    glance: Glance, user: User, make_tasks: MakeTasks, pages: list[str]
) -> None:
    expected = sorted(ids(make_tasks(5)))

    done = glance("task-list", "--page-size", "2", "--sort-key", "id", "--sort-dir", "asc")

    assert (done.returncode, done.stderr) == (0, "")
    assert rows(done.stdout) == [(pk, "import", "pending", str(user.pk)) for pk in expected]
    assert len(pages) == 3


@only_at_root
def test_lists_what_its_own_defaults_ask_for(
    glance: Glance, make_tasks: MakeTasks, pages: list[str]
) -> None:
    expected = ids(make_tasks(2))

    done = glance("task-list")

    assert [pk for pk, *_ in rows(done.stdout)] == expected
    assert pages == ["limit=20&sort_key=status&sort_dir=desc"]


def test_shows_a_task(glance: Glance, user: User, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1, name="nightly", input=SOURCE)

    done = glance("task-show", str(row.pk))

    assert (done.returncode, done.stderr) == (0, "")
    assert dict(rows(done.stdout)) == {
        "attempts": "0",
        "created_at": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "id": str(row.pk),
        "input": json.dumps(SOURCE),
        "message": "",
        "name": "nightly",
        "owner": str(user.pk),
        "progress": "0",
        "result": "None",
        "status": "pending",
        "type": "import",
        "updated_at": f"{row.updated_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def test_creates_a_task(glance: Glance, user: User) -> None:
    done = glance("task-create", "--type", "import", "--input", json.dumps(SOURCE))

    assert (done.returncode, done.stderr) == (0, "")
    row = Task.objects.get()
    assert (row.type, row.input, row.owner) == ("import", SOURCE, str(user.pk))
    shown = dict(rows(done.stdout))
    assert (shown["id"], shown["status"]) == (str(row.pk), "pending")


@only_at_root
def test_says_that_there_is_no_such_task(glance: Glance) -> None:
    done = glance("task-show", "7")

    assert (done.returncode, done.stderr) == (1, "HTTP Could not find task 7\n")


@only_at_root
def test_says_why_a_task_was_refused(glance: Glance) -> None:
    done = glance("task-create", "--type", "import", "--input", "{}")

    assert done.returncode == 1
    assert done.stderr == (
        "HTTP Provided object does not match schema 'task': "
        "input: 'import_from' is a required property\n"
    )


@only_at_root
@pytest.mark.parametrize("token", ["nobodys"])
def test_says_that_its_token_is_nobodys(glance: Glance, transactional_db: None) -> None:
    done = glance("task-list")

    assert (done.returncode, done.stderr) == (1, "Invalid OpenStack Identity credentials.\n")
