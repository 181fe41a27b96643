"""python-glanceclient, the library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import warlock
from django.contrib.auth.models import User
from glanceclient import Client, exc

from django_image_tasks.models import Task
from tests.clients.tasks import SOURCE, MakeTasks, fail, ids, start, succeed

pytestmark = pytest.mark.filterwarnings(
    "ignore:`version` keyword is being deprecated:DeprecationWarning:glanceclient"
)


@pytest.fixture
def glance(root: str, token: str) -> Iterator[Any]:
    client = Client("2", endpoint=root, token=token)
    yield client
    client.http_client.session.close()


def test_lists_every_page(glance: Any, make_tasks: MakeTasks, pages: list[str]) -> None:
    expected = ids(make_tasks(5))

    assert [task.id for task in glance.tasks.list(page_size=2)] == expected
    assert pages == ["limit=2", f"limit=2&marker={expected[1]}", f"limit=2&marker={expected[3]}"]


def test_asks_for_no_page_after_an_exact_last_one(
    glance: Any, make_tasks: MakeTasks, pages: list[str]
) -> None:
    expected = ids(make_tasks(4))

    assert [task.id for task in glance.tasks.list(page_size=2)] == expected
    assert len(pages) == 2


def test_begins_behind_a_marker(glance: Any, make_tasks: MakeTasks) -> None:
    newest, *others = ids(make_tasks(3))

    assert [task.id for task in glance.tasks.list(marker=newest)] == others


def test_filters_by_type_and_status(glance: Any, make_tasks: MakeTasks) -> None:
    running, *_ = make_tasks(3)
    start(running)

    tasks = list(glance.tasks.list(filters={"type": "import", "status": "processing"}))

    assert [(task.id, task.status) for task in tasks] == [(str(running.pk), "processing")]


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_sorts_across_pages(glance: Any, make_tasks: MakeTasks, direction: str) -> None:
    expected = sorted(ids(make_tasks(5)), reverse=direction == "desc")

    tasks = glance.tasks.list(page_size=2, sort_key="id", sort_dir=direction)

    assert [task.id for task in tasks] == expected


def test_lists_tasks_of_every_status(glance: Any, make_tasks: MakeTasks) -> None:
    _, running, failed, succeeded = make_tasks(4)
    start(running)
    fail(failed, "The image is not an image.")
    succeed(succeeded, "an image")

    tasks = list(glance.tasks.list())

    assert [(task.status, task.progress) for task in tasks] == [
        ("pending", 0),
        ("processing", 0),
        ("failure", 0),
        ("success", 100),
    ]
    assert ["expires_at" in task for task in tasks] == [False, False, True, True]


def test_shows_a_pending_task(glance: Any, user: User, make_tasks: MakeTasks) -> None:
    [pk] = ids(make_tasks(1, name="nightly", input=SOURCE))

    task = glance.tasks.get(pk)

    assert (task.id, task.type, task.status) == (pk, "import", "pending")
    assert (task.owner, task.name, task.input) == (str(user.pk), "nightly", SOURCE)
    assert (task.message, task.result, task.progress) == ("", None, 0)
    assert "expires_at" not in task


def test_shows_what_a_task_made(glance: Any, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1)
    succeed(row, "an image")

    task = glance.tasks.get(str(row.pk))

    assert (task.status, task.result) == ("success", {"image_id": "an image"})
    assert (task.progress, task.attempts) == (100, 1)
    assert task.expires_at == f"{row.expires_at:%Y-%m-%dT%H:%M:%SZ}"


def test_shows_why_a_task_failed(glance: Any, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1)
    fail(row, "The image is not an image.")

    task = glance.tasks.get(str(row.pk))

    assert (task.status, task.message) == ("failure", "The image is not an image.")


def test_creates_a_task(glance: Any, user: User) -> None:
    created = glance.tasks.create(type="import", input=SOURCE, name="nightly")

    row = Task.objects.get()
    assert (row.type, row.input, row.name) == ("import", SOURCE, "nightly")
    assert (row.owner, row.user_id, row.status) == (str(user.pk), str(user.pk), "pending")
    assert (created.id, created.status, created.name) == (str(row.pk), "pending", "nightly")
    assert created.request_ids == [row.request_id]


def test_a_field_it_sets_must_fit_the_served_schema(glance: Any) -> None:
    task = glance.tasks.model()

    task.progress = 100
    with pytest.raises(warlock.InvalidOperation):
        task.progress = 101


def test_reads_that_there_is_no_such_task(glance: Any) -> None:
    with pytest.raises(exc.HTTPNotFound) as error:
        glance.tasks.get("7")

    assert str(error.value) == "HTTP Could not find task 7"


def test_reads_why_a_task_was_refused(glance: Any) -> None:
    with pytest.raises(exc.HTTPBadRequest) as error:
        glance.tasks.create(type="import", input={"import_from": "file:///etc/passwd"})

    assert str(error.value) == (
        "HTTP File based imports are not allowed. Please use a non-local source of image data."
    )
    assert not Task.objects.exists()


def test_reads_why_a_filter_was_refused(glance: Any) -> None:
    with pytest.raises(exc.HTTPBadRequest) as error:
        list(glance.tasks.list(filters={"status": "done"}))

    assert str(error.value) == "HTTP Invalid status value: done"


@pytest.mark.parametrize("token", ["nobodys"])
def test_reads_that_its_token_is_nobodys(glance: Any, transactional_db: None) -> None:
    with pytest.raises(exc.HTTPUnauthorized) as error:
        list(glance.tasks.list())

    assert str(error.value) == "HTTP Invalid token."
