"""openstacksdk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openstack
import pytest
from django.contrib.auth.models import User
from openstack import exceptions

from django_image_tasks.models import Task
from tests.clients.tasks import SOURCE, MakeTasks, fail, ids, start, succeed

# It warns of what its own modules do.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:openstack"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack"),
]


@pytest.fixture
def image(root: str, token: str) -> Iterator[Any]:
    with openstack.connect(
        auth_type="admin_token",
        auth={"endpoint": root, "token": token},
        image_endpoint_override=root,
    ) as connection:
        yield connection.image


@pytest.fixture
def anonymous(root: str, settings: Any, transactional_db: None) -> Iterator[Any]:
    """A client without Keystone; it sends a token all the same, ``notused``."""
    settings.IMAGE_TASKS = {"ANONYMOUS_OWNER": "everybody"}
    with openstack.connect(auth_type="none", auth={"endpoint": root}) as connection:
        yield connection.image


def test_lists_every_page(image: Any, make_tasks: MakeTasks, pages: list[str]) -> None:
    expected = ids(make_tasks(30))

    assert [task.id for task in image.tasks()] == expected
    assert pages == ["", f"marker={expected[24]}"]


def test_asks_once_more_after_the_last_page_where_it_names_a_limit(
    image: Any, make_tasks: MakeTasks, pages: list[str]
) -> None:
    expected = ids(make_tasks(5))

    assert [task.id for task in image.tasks(limit=2)] == expected
    assert pages == [
        "limit=2",
        f"limit=2&marker={expected[1]}",
        f"limit=2&marker={expected[3]}",
        f"marker={expected[4]}&limit=2",
    ]


def test_filters_and_sorts_across_pages(image: Any, make_tasks: MakeTasks) -> None:
    running, *waiting = make_tasks(5)
    start(running)

    tasks = image.tasks(type="import", status="pending", sort_key="id", sort_dir="asc", limit=3)

    assert [task.id for task in tasks] == sorted(ids(waiting))


def test_gets_a_task(image: Any, user: User, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1, name="nightly", input=SOURCE)

    task = image.get_task(str(row.pk))

    assert (task.id, task.type, task.status, task.name) == (
        str(row.pk),
        "import",
        "pending",
        "nightly",
    )
    assert (task.owner_id, task.input) == (str(user.pk), SOURCE)
    assert (task.message, task.result, task.expires_at) == ("", None, None)
    assert task.created_at == f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}"


def test_creates_a_task(image: Any, user: User) -> None:
    created = image.create_task(type="import", input=SOURCE, name="nightly")

    row = Task.objects.get()
    assert (row.type, row.input, row.name) == ("import", SOURCE, "nightly")
    assert (row.owner, row.user_id) == (str(user.pk), str(user.pk))
    assert (created.id, created.status) == (str(row.pk), "pending")


def test_waits_for_success(image: Any, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1)
    task = image.get_task(str(row.pk))
    succeed(row, "an image")

    waited = image.wait_for_task(task, interval=0.01, wait=5)

    assert (waited.status, waited.result) == ("success", {"image_id": "an image"})


def test_stops_waiting_at_failure(image: Any, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1)
    task = image.get_task(str(row.pk))
    fail(row, "The image is not an image.")

    with pytest.raises(exceptions.ResourceFailure) as error:
        image.wait_for_task(task, interval=0.01, wait=5)

    assert str(error.value) == f"Task:{row.pk} transitioned to failure state failure"
    assert image.get_task(task).message == "The image is not an image."


def test_reads_that_there_is_no_such_task(image: Any, root: str) -> None:
    with pytest.raises(exceptions.NotFoundException) as error:
        image.get_task("7")

    assert error.value.details == "Could not find task 7"


def test_reads_why_a_task_was_refused(image: Any) -> None:
    with pytest.raises(exceptions.BadRequestException) as error:
        image.create_task(type="import", input={"import_from": "file:///etc/passwd"})

    assert error.value.details == (
        "File based imports are not allowed. Please use a non-local source of image data."
    )


@pytest.mark.parametrize("token", ["nobodys"])
def test_reads_that_its_token_is_nobodys(image: Any, transactional_db: None) -> None:
    with pytest.raises(exceptions.HttpException) as error:
        list(image.tasks())

    assert (error.value.status_code, error.value.details) == (401, "Invalid token.")


def test_acts_for_the_anonymous_owner(anonymous: Any) -> None:
    created = anonymous.create_task(type="import", input=SOURCE)

    assert [task.id for task in anonymous.tasks()] == [created.id]
    assert (Task.objects.get().owner, Task.objects.get().user_id) == ("everybody", "")


def test_a_made_up_token_is_ignored_where_the_host_has_no_tokens(
    anonymous: Any, settings: Any
) -> None:
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app != "rest_framework.authtoken"
    ]

    assert list(anonymous.tasks()) == []


def test_is_told_to_log_in_where_nobody_is_named(root: str, transactional_db: None) -> None:
    with (
        openstack.connect(auth_type="none", auth={"endpoint": root}) as connection,
        pytest.raises(exceptions.HttpException) as error,
    ):
        list(connection.image.tasks())

    assert error.value.status_code == 401
