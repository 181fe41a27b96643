"""The ``openstack`` command of python-openstackclient."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from subprocess import CompletedProcess
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.clients.commands import only_at_root, run
from tests.clients.tasks import SOURCE, MakeTasks, ids
from tests.requirements import needs, needs_program

needs("openstackclient")

OpenStack = Callable[..., CompletedProcess[str]]


@pytest.fixture
def tokenless(root: str, settings: Any, user: User) -> OpenStack:
    settings.IMAGE_TASKS = {"ANONYMOUS_OWNER": str(user.pk)}
    return partial(run, needs_program("openstack"), "--os-auth-type", "none", "--os-endpoint", root)


@pytest.fixture
def logged_in(root: str, token: str) -> OpenStack:
    """With a token it takes the endpoint as it is, and wants the version in it."""
    return partial(
        run,
        *(needs_program("openstack"), "--os-auth-type", "admin_token", "--os-token", token),
        *("--os-endpoint", f"{root}/v2"),
    )


def test_lists_tasks_without_a_token(
    tokenless: OpenStack, user: User, make_tasks: MakeTasks
) -> None:
    expected = ids(make_tasks(2))

    done = tokenless("image", "task", "list", "-f", "json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [
        {"ID": pk, "Type": "import", "Status": "pending", "Owner": str(user.pk)} for pk in expected
    ]


def test_lists_every_page(logged_in: OpenStack, make_tasks: MakeTasks, pages: list[str]) -> None:
    expected = sorted(ids(make_tasks(5)))

    done = logged_in(
        *("image", "task", "list", "--limit", "2", "--status", "pending", "-f", "json"),
        *("--sort-key", "id", "--sort-dir", "asc"),
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert [task["ID"] for task in json.loads(done.stdout)] == expected
    assert len(pages) == 4


@only_at_root
def test_shows_a_task(logged_in: OpenStack, user: User, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1, input=SOURCE)

    done = logged_in("image", "task", "show", str(row.pk), "-f", "json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "created_at": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "expires_at": None,
        "id": str(row.pk),
        "input": SOURCE,
        "message": "",
        "owner_id": str(user.pk),
        "properties": {},
        "result": None,
        "status": "pending",
        "type": "import",
        "updated_at": f"{row.updated_at:%Y-%m-%dT%H:%M:%SZ}",
    }


@only_at_root
def test_says_that_there_is_no_such_task(logged_in: OpenStack, root: str) -> None:
    done = logged_in("image", "task", "show", "7")

    assert done.returncode == 1
    assert done.stderr == (
        f"No Task found for 7: Client Error for url: {root}/v2/tasks/7, Could not find task 7\n"
    )
