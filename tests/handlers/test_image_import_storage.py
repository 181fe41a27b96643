"""What the storage holds before, during and after an attempt."""

from __future__ import annotations

import errno
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, storages
from django.db import connections

from django_image_tasks.exceptions import AttemptFailed, TaskCancelled
from django_image_tasks.handlers.image_import import storage
from tests.handlers.conftest import use_storage
from tests.handlers.fakes import FakeContext

IMAGE_ID = UUID("aaaaaaaa-0000-4000-8000-000000000000")
TASK_ID = UUID("bbbbbbbb-0000-4000-8000-000000000000")
OTHER_TASK_ID = UUID("cccccccc-0000-4000-8000-000000000000")


class BreakingStorage(FileSystemStorage):
    """Full after five bytes."""

    def _save(self, name: str, content: File[bytes]) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(5))
        raise OSError(errno.ENOSPC, "No space left on device")


class BrokenStorage(BreakingStorage):
    """Full, and not to be tidied up."""

    def delete(self, name: str) -> None:
        if self.exists(name):
            raise OSError(errno.EROFS, "Read-only file system")


class InterruptedStorage(BreakingStorage):
    def _save(self, name: str, content: File[bytes]) -> str:
        try:
            return super()._save(name, content)
        except OSError:
            raise KeyboardInterrupt from None


class ThreadedStorage(InMemoryStorage):
    """Reads in a thread of its own, as the storages of clouds do."""

    def _save(self, name: str, content: File[bytes]) -> str:
        with ThreadPoolExecutor(1) as pool:
            return super()._save(name, ContentFile(pool.submit(content.read).result()))


class Interrupted(FakeContext):
    def progress(self, done: int, total: int | None = None) -> None:
        raise TaskCancelled("Cancelled by ada")


class Writing(FakeContext):
    """Has a connection to the database wherever it reports, as one that writes progress has."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.used: list[Any] = []

    def progress(self, done: int, total: int | None = None) -> None:
        connections["default"].ensure_connection()
        self.used.append(connections["default"])


class Watching(FakeContext):
    """Sees what is in the storage whenever a part of the file was read."""

    seen: list[list[str]]

    def progress(self, done: int, total: int | None = None) -> None:
        root = Path(storage.get_storage().path(""))
        self.seen.append([path.name for path in root.rglob("*") if path.is_file()])


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    path = tmp_path / "staged"
    path.write_bytes(b"an image")
    return path


def save(path: Path, attempt: int, kind: type[FakeContext] = FakeContext) -> str:
    context = kind(path.parent, {}, attempt)
    context.task_id = TASK_ID
    return storage.save(path, IMAGE_ID, context)


def stored(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_name_is_made_of_image_task_and_attempt(storage_root: Path, staged: Path) -> None:
    name = save(staged, 2)
    assert name == f"images/{IMAGE_ID}/{TASK_ID}-2"
    assert stored(storage_root) == {name: b"an image"}


def test_file_that_is_copied_has_its_name_once_it_is_whole(
    storage_root: Path, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged.write_bytes(bytes(200_000))
    monkeypatch.setattr(Watching, "seen", [], raising=False)
    name = save(staged, 1, Watching)
    part = [f"{TASK_ID}-1.part"]
    assert Watching.seen == [part, part, part, part, part]
    assert stored(storage_root) == {name: bytes(200_000)}


def test_file_is_moved_within_a_file_system(storage_root: Path, staged: Path) -> None:
    storage_root.mkdir()
    inode = staged.stat().st_ino
    name = save(staged, 1)
    assert (storage_root / name).stat().st_ino == inode
    assert not staged.exists()


@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize(
    ("files", "directories", "mask", "modes"),
    [
        (0o644, None, 0o077, (0o644, 0o700)),
        (0o640, 0o750, 0o077, (0o640, 0o750)),
        (0o600, 0o755, 0o002, (0o600, 0o755)),
        (None, None, 0o027, (0o640, 0o750)),
    ],
)
def test_permissions_are_those_of_djangos_uploads(
    settings: Any,
    storage_root: Path,
    tmp_path: Path,
    moved: bool,
    files: int | None,
    directories: int | None,
    mask: int,
    modes: tuple[int, int],
) -> None:
    settings.FILE_UPLOAD_PERMISSIONS = files
    settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS = directories
    if moved:
        storage_root.mkdir()
    before = os.umask(mask)
    try:
        (tmp_path / "staged").write_bytes(b"an image")
        path = storage_root / save(tmp_path / "staged", 1)
    finally:
        os.umask(before)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == modes
    assert (tmp_path / "staged").exists() is not moved


def test_file_that_can_no_longer_be_read(storage_root: Path, staged: Path) -> None:
    staged.unlink()
    with pytest.raises(AttemptFailed) as caught:
        save(staged, 1)
    assert str(caught.value) == "The scratch directory failed: No such file or directory"


def test_default_storage_where_no_other_is_named(
    settings: Any, tmp_path: Path, staged: Path
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    name = save(staged, 1)
    default = storages["default"]
    assert isinstance(default, InMemoryStorage)
    with default.open(name) as file:
        assert file.read() == b"an image"


def test_objects_of_earlier_attempts_go(storage_root: Path, tmp_path: Path) -> None:
    for attempt, task_id in [(1, TASK_ID), (2, TASK_ID), (1, OTHER_TASK_ID), (4, TASK_ID)]:
        path = storage_root / storage.object_name(IMAGE_ID, task_id, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"earlier")
    staged = tmp_path / "staged"
    staged.write_bytes(b"an image")
    save(staged, 3)
    assert stored(storage_root) == {
        f"images/{IMAGE_ID}/{TASK_ID}-3": b"an image",
        f"images/{IMAGE_ID}/{TASK_ID}-4": b"earlier",
        f"images/{IMAGE_ID}/{OTHER_TASK_ID}-1": b"earlier",
    }


@pytest.mark.parametrize("end", ["", storage.PART])
def test_leftover_of_the_same_attempt_is_replaced(
    storage_root: Path, staged: Path, end: str
) -> None:
    path = storage_root / f"{storage.object_name(IMAGE_ID, TASK_ID, 1)}{end}"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a part")
    name = save(staged, 1)
    assert stored(storage_root) == {name: b"an image"}


def test_leftover_in_a_storage_without_files_is_replaced(
    settings: Any, tmp_path: Path, staged: Path
) -> None:
    use_storage(settings, "django.core.files.storage.InMemoryStorage", tmp_path / "storage")
    name = storage.object_name(IMAGE_ID, TASK_ID, 1)
    storage.get_storage().save(name, ContentFile(b"a part"))
    assert save(staged, 1) == name
    with storage.get_storage().open(name) as file:
        assert file.read() == b"an image"


def test_broken_save_leaves_nothing(settings: Any, tmp_path: Path, staged: Path) -> None:
    root = tmp_path / "storage"
    use_storage(settings, f"{__name__}.BreakingStorage", root)
    with pytest.raises(AttemptFailed) as caught:
        save(staged, 1)
    assert str(caught.value) == "The storage failed: No space left on device"
    assert stored(root) == {}


def test_interrupted_save_leaves_nothing(settings: Any, tmp_path: Path, staged: Path) -> None:
    root = tmp_path / "storage"
    use_storage(settings, f"{__name__}.InterruptedStorage", root)
    with pytest.raises(KeyboardInterrupt):
        save(staged, 1)
    assert stored(root) == {}


def test_storage_with_threads_of_its_own(settings: Any, tmp_path: Path, staged: Path) -> None:
    use_storage(settings, f"{__name__}.ThreadedStorage", tmp_path / "storage")
    with storage.get_storage().open(save(staged, 1)) as file:
        assert file.read() == b"an image"


@pytest.mark.django_db(transaction=True)
def test_no_connection_of_a_storages_own_thread_stays_open(
    settings: Any, tmp_path: Path, staged: Path
) -> None:
    use_storage(settings, f"{__name__}.ThreadedStorage", tmp_path / "storage")
    context = Writing(tmp_path, {})

    storage.save(staged, IMAGE_ID, context)

    others = [each for each in context.used if each is not connections["default"]]
    assert others
    assert all(each.connection is None for each in others)


@pytest.mark.parametrize("backend", ["FileSystemStorage", "InMemoryStorage", "ThreadedStorage"])
def test_cancel_while_a_storage_reads(
    settings: Any, tmp_path: Path, staged: Path, backend: str
) -> None:
    module = __name__ if backend == "ThreadedStorage" else "django.core.files.storage"
    use_storage(settings, f"{module}.{backend}", tmp_path / "storage")
    with pytest.raises(TaskCancelled):
        save(staged, 1, Interrupted)
    assert stored(tmp_path / "storage") == {}
    assert not storage.get_storage().exists(storage.object_name(IMAGE_ID, TASK_ID, 1))


def test_failure_to_tidy_up_is_logged(
    settings: Any, tmp_path: Path, staged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    use_storage(settings, f"{__name__}.BrokenStorage", tmp_path / "storage")
    with caplog.at_level(logging.WARNING), pytest.raises(AttemptFailed, match="No space left"):
        save(staged, 1)
    assert caplog.messages == [
        f"image_not_removed name=images/{IMAGE_ID}/{TASK_ID}-1 error=OSError"
    ]


def test_discard_removes_only_its_own(storage_root: Path, tmp_path: Path) -> None:
    for attempt, task_id in [(1, TASK_ID), (2, TASK_ID), (1, OTHER_TASK_ID)]:
        path = storage_root / storage.object_name(IMAGE_ID, task_id, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"an image")
    storage.discard(IMAGE_ID, TASK_ID, 1)
    storage.discard(IMAGE_ID, TASK_ID, 1)
    assert sorted(os.listdir(storage_root / "images" / str(IMAGE_ID))) == [
        f"{TASK_ID}-2",
        f"{OTHER_TASK_ID}-1",
    ]


def test_discard_takes_what_a_killed_worker_was_writing(storage_root: Path) -> None:
    path = storage_root / f"{storage.object_name(IMAGE_ID, TASK_ID, 1)}.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"an im")
    storage.discard(IMAGE_ID, TASK_ID, 1)
    assert list(storage_root.rglob("*")) == [storage_root / "images"]


def test_directory_of_an_image_goes_with_its_last_object(storage_root: Path, staged: Path) -> None:
    name = save(staged, 1)
    (storage_root / name).with_name("of another").touch()
    storage.discard(IMAGE_ID, TASK_ID, 1)
    assert stored(storage_root) == {f"images/{IMAGE_ID}/of another": b""}
    (storage_root / name).with_name("of another").unlink()
    storage.discard(IMAGE_ID, TASK_ID, 1)
    assert list(storage_root.rglob("*")) == [storage_root / "images"]
