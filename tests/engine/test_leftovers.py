"""Objects that attempts without a result leave in the storage are removed in the end."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

from django_image_tasks import claims, executor
from django_image_tasks.exceptions import AttemptFailed, TaskFailed
from django_image_tasks.handlers.base import Context, Handler
from django_image_tasks.handlers.image_import import storage
from django_image_tasks.models import Leftover, Task
from django_image_tasks.sweep import BATCH, sweep
from tests.engine import workload
from tests.handlers.conftest import use_storage

IMAGE_ID = UUID("aaaaaaaa-0000-4000-8000-000000000000")


class StickyStorage(FileSystemStorage):
    """Does not delete a file as often as a test says."""

    failures: ClassVar[int] = 0

    def delete(self, name: str) -> None:
        if self.exists(name) and StickyStorage.failures:
            StickyStorage.failures -= 1
            raise OSError(errno.EIO, "Input/output error")
        super().delete(name)


class Storing(Handler):
    """Stores an image, and then ends as its input says for each attempt."""

    type = "storing"
    title = "For tests"

    def run(self, context: Context) -> dict[str, Any]:
        path = context.scratch / "image"
        path.write_bytes(b"an image")
        location = storage.save(path, IMAGE_ID, context)
        match context.input["ends"][context.attempt - 1]:
            case "retry":
                raise AttemptFailed("The source is away")
            case "failure":
                raise TaskFailed("The source is gone")
        return {"location": location}

    def discard(self, task_id: UUID, attempt: int, input: Any) -> None:
        storage.discard(IMAGE_ID, task_id, attempt)


@pytest.fixture
def root(settings: Any, image_tasks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the storage keeps its files."""
    image_tasks["HANDLERS"]["storing"] = f"{__name__}.Storing"
    image_tasks["NEXT_ATTEMPT_DELAY"] = timedelta(0)
    monkeypatch.setattr(StickyStorage, "failures", 0)
    use_storage(settings, f"{__name__}.StickyStorage", tmp_path / "storage")
    return tmp_path / "storage"


def stored(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("end", ["failure", "retry"])
def test_what_an_attempt_stored_goes_when_it_fails(
    make_task: Callable[..., Task], root: Path, end: str
) -> None:
    executor.run(make_task("storing", input={"ends": [end]}).pk)
    assert stored(root) == []
    assert not Leftover.objects.exists()


@pytest.mark.parametrize("ends", [["failure"], ["retry", "failure"], ["retry", "success"]])
def test_a_storage_that_fails_to_delete_once_keeps_nothing_for_good(
    make_task: Callable[..., Task], root: Any, ends: Any
) -> None:
    task = make_task("storing", input={"ends": ends})
    StickyStorage.failures = len(ends)  # each attempt's own, and the next one's
    for _ in ends:
        executor.run(task.pk)
    assert f"{task.pk}-1" in stored(root)

    assert sweep().discarded == 1

    task.refresh_from_db()
    kept = [f"{task.pk}-2"] if task.status == "success" else []
    assert stored(root) == kept
    assert not Leftover.objects.exists()


def test_a_worker_killed_between_an_attempts_end_and_its_tidying_leaves_nothing(
    make_task: Callable[..., Task], root: Any
) -> None:
    task = make_task("storing", input={"ends": ["failure"]})
    claims.claim(task.pk)
    path = root / storage.object_name(IMAGE_ID, task.pk, 1)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"an image")
    task.refresh_from_db()
    task.fail("The source is gone")

    assert sweep().discarded == 1

    assert stored(root) == []


def test_what_is_left_outlives_its_task(make_task: Callable[..., Task], root: Any) -> None:
    task = make_task("storing", input={"ends": ["failure"]})
    StickyStorage.failures = 1
    executor.run(task.pk)
    Task.objects.all().delete()

    assert sweep().discarded == 1

    assert stored(root) == []


def test_nothing_is_remembered_of_an_attempt_that_succeeds(
    make_task: Callable[..., Task], root: Any
) -> None:
    task = make_task("storing", input={"ends": ["success"]})

    executor.run(task.pk)

    assert not Leftover.objects.exists()
    assert stored(root) == [f"{task.pk}-1"]


def test_what_a_result_names_is_never_removed(make_task: Callable[..., Task], root: Any) -> None:
    task = make_task("storing", input={"ends": ["success"]})
    executor.run(task.pk)
    task.refresh_from_db()
    task.leftover().save()

    assert sweep().discarded == 0

    assert stored(root) == [f"{task.pk}-1"]
    assert not Leftover.objects.exists()


def test_nothing_is_remembered_once_it_is_removed(make_task: Callable[..., Task]) -> None:
    task = make_task(input={"do": "fail"})

    executor.run(task.pk)

    assert workload.discarded == [(str(task.pk), 1)]
    assert not Leftover.objects.exists()


def test_nothing_is_remembered_of_a_type_that_nothing_runs(make_task: Callable[..., Task]) -> None:
    executor.run(make_task("retired").pk)

    assert not Leftover.objects.exists()


def test_nothing_is_remembered_of_a_task_that_did_not_run(make_task: Callable[..., Task]) -> None:
    make_task().cancel("ada")

    assert not Leftover.objects.exists()


def test_the_wait_for_the_next_try_doubles_up_to_a_day(
    make_task: Callable[..., Task], image_tasks: Any
) -> None:
    image_tasks["NEXT_ATTEMPT_DELAY"] = timedelta(seconds=10)
    leftover = make_task().leftover()
    waits = []
    for _ in range(30):
        leftover.postpone()
        waits.append(round((leftover.due_at - timezone.now()).total_seconds()))

    assert waits[:3] == [10, 20, 40]
    assert waits[-1] == 24 * 60 * 60
    assert Leftover.objects.get().tries == 30


def test_a_sweep_of_a_storage_that_is_away_tries_once(
    make_task: Callable[..., Task], image_tasks: Any, root: Any
) -> None:
    image_tasks["NEXT_ATTEMPT_DELAY"] = timedelta(seconds=10)
    StickyStorage.failures = 4
    for _ in range(3):
        executor.run(make_task("storing", input={"ends": ["failure"]}).pk)
    Leftover.objects.update(due_at=timezone.now())

    assert sweep().discarded == 0
    assert StickyStorage.failures == 0
    assert sweep().discarded == 2
    assert len(stored(root)) == 1


def test_what_belongs_to_another_attempt_is_neither_forgotten_nor_put_off(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()
    first, second = (
        Leftover.objects.create(
            task_id=task.pk, attempt=number, task_type="workload", input={}, due_at=task.created_at
        )
        for number in (1, 2)
    )

    first.postpone()
    assert Leftover.objects.get(attempt=2).tries == 0
    first.forget()

    assert Leftover.objects.get() == second


def test_what_is_not_due_is_left_alone(make_task: Callable[..., Task]) -> None:
    due, later = make_task().leftover(), make_task().leftover()
    later.due_at = timezone.now() + timedelta(hours=1)
    due.save()
    later.save()

    assert sweep().discarded == 1

    assert Leftover.objects.get() == later


def test_a_sweep_takes_on_so_many_and_no_more(make_task: Callable[..., Task]) -> None:
    task = make_task()
    Leftover.objects.bulk_create(
        Leftover(task_id=task.pk, attempt=number, task_type="workload", input={})
        for number in range(BATCH)
    )

    assert sweep().discarded == BATCH // 10
