from __future__ import annotations

import errno
import logging
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from django_image_tasks import executor, scratch
from django_image_tasks.conf import conf
from django_image_tasks.exceptions import ScratchFailed
from django_image_tasks.models import Task
from tests.mounts import mounted

KILLED = """
import os, sys
from django.conf import settings
settings.configure(IMAGE_TASKS={"SCRATCH_DIR": sys.argv[1]})
from django_image_tasks.scratch import scratch
with scratch("task-1") as path:
    (path / "image").write_bytes(bytes(1000))
    os.symlink(sys.argv[1] + "/../elsewhere", path / "link")
    os.mkfifo(path / "fifo")
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def root(image_tasks: Any) -> Path:
    """``SCRATCH_DIR``."""
    path = image_tasks["SCRATCH_DIR"]
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def left(root: Path) -> Path:
    """What a killed worker left."""
    subprocess.run([sys.executable, "-c", KILLED, str(root)], check=False)
    [lock] = root.glob("*.lock")
    return lock.with_suffix("")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory that is none of the app's, with a file."""
    path = tmp_path / "elsewhere"
    path.mkdir()
    (path / "data").write_text("precious")
    return path


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def limited(kind: int, value: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


# An attempt's own directory


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o177])
def test_a_directory_is_private_whatever_the_umask(image_tasks: Any, mask: Any) -> None:
    with umask(mask), scratch.scratch("task-1") as path:
        assert path.name.startswith("task-1-")
        assert path.stat().st_mode & 0o777 == 0o700
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert list(path.iterdir()) == []


def test_nothing_is_left_of_it_in_the_end(root: Any) -> None:
    with scratch.scratch("task-1") as path:
        (path / "image").write_bytes(bytes(1000))

    assert list(root.iterdir()) == []


def test_what_is_kept_stays_until_nobody_wants_it(root: Any) -> None:
    with scratch.scratch("task-1") as path:
        scratch.keep(path)
        scratch.keep(path)

    assert scratch.remove_abandoned(lambda names: names) == 0
    assert path.is_dir()
    assert scratch.remove_abandoned(lambda names: names - {path.name}) == 1
    assert list(root.iterdir()) == []


def test_what_is_not_kept_is_not_taken_over(left: Any) -> None:
    with scratch.taken_over("task-1", Event()) as path:
        assert path is None


def test_the_scratch_directory_may_vanish_beneath_an_attempt(root: Any) -> None:
    with scratch.scratch("task-1"):
        shutil.rmtree(root)

    with scratch.scratch("task-2") as path:
        assert path.is_dir()


def test_what_could_not_be_locked_is_not_taken_for_a_dead_processs(
    left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(scratch.fcntl, "flock", flock)
    with scratch.scratch("task-2") as path:
        assert scratch.remove_abandoned() == 0
        monkeypatch.undo()
        assert scratch.remove_abandoned() == 1
        assert path.is_dir()

    assert not left.exists()
    assert not path.exists()


# What the sweep removes, and what not


def test_what_a_killed_process_left_is_removed_and_nothing_behind_its_links(
    left: Any, root: Any, elsewhere: Any
) -> None:
    assert sorted(os.listdir(left)) == ["fifo", "image", "link"]

    assert scratch.remove_abandoned() == 1

    assert list(root.iterdir()) == []
    assert (elsewhere / "data").read_text() == "precious"


def test_the_directory_of_a_living_process_stays(image_tasks: Any) -> None:
    with scratch.scratch("task-1") as path:
        assert scratch.remove_abandoned() == 0
        assert path.exists()


def test_a_removal_that_was_interrupted_is_finished(left: Any, root: Any) -> None:
    shutil.rmtree(left)

    assert scratch.remove_abandoned() == 1
    assert list(root.iterdir()) == []


def test_whatever_else_lies_there_stays(left: Any, root: Any, elsewhere: Any) -> None:
    copy = root / "copy-of-a-rescued-image"
    shutil.copytree(left, copy, symlinks=True, ignore=shutil.ignore_patterns("fifo"))
    shutil.copy(f"{left}.lock", f"{copy}.lock")
    for name in ("data", "11111111-2222-3333-4444-555555555555-1-0123abcd"):
        shutil.copytree(elsewhere, root / name)
        os.utime(root / name, (0, 0))
    (root / "data.lock").write_text("another program's")
    (root / "data-2.lock").mkdir()
    (root / "link").symlink_to(elsewhere)
    (root / "link.lock").symlink_to(f"{left}.lock")
    os.mkfifo(root / "fifo.lock")
    before = set(root.rglob("*"))

    assert scratch.remove_abandoned() == 1

    assert before - set(root.rglob("*")) == {
        left, Path(f"{left}.lock"), left / "fifo", left / "image", left / "link"
    }  # fmt: skip
    assert (elsewhere / "data").read_text() == "precious"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("../elsewhere", path)])
def test_what_took_a_dead_attempts_place_stays(left: Any, elsewhere: Any, make: Any) -> None:
    shutil.rmtree(left)
    make(left)

    scratch.remove_abandoned()

    assert os.path.lexists(left)
    assert not os.path.exists(f"{left}.lock")
    assert (elsewhere / "data").read_text() == "precious"


def test_a_link_in_the_place_of_what_was_kept_is_not_taken_over(root: Any, elsewhere: Any) -> None:
    with scratch.scratch("task-1") as path:
        scratch.keep(path)
    path.rmdir()
    path.symlink_to(elsewhere)

    with scratch.taken_over("task-1", Event()) as found:
        assert found is None


def test_a_lock_that_another_program_holds_is_not_touched(root: Any) -> None:
    path = root / "data.lock"
    path.write_text("another program's")
    with path.open() as lock:
        scratch.fcntl.flock(lock, scratch.fcntl.LOCK_EX)
        assert scratch.remove_abandoned() == 0


# Which directory is refused


def open_to_others(root: Path) -> None:
    root.chmod(0o1777)


def readable_to_others(root: Path) -> None:
    root.chmod(0o755)


def readable_to_its_group(root: Path) -> None:
    root.chmod(0o750)


def readable_to_others_and_not_to_its_group(root: Path) -> None:
    root.chmod(0o705)


def link(root: Path) -> None:
    root.rename(root.with_name("target"))
    root.symlink_to("target")


def fifo(root: Path) -> None:
    root.rmdir()
    os.mkfifo(root)


def belongs_to_another(root: Path) -> None:
    if os.geteuid():
        pytest.skip("Needs root, to give a directory away.")
    os.chown(root, 65534, -1)


REFUSED = [
    (open_to_others, "It is open to other users"),
    (readable_to_others, "It is open to other users"),
    (readable_to_its_group, "It is open to other users"),
    (readable_to_others_and_not_to_its_group, "It is open to other users"),
    (link, "It is not a directory"),
    (fifo, "It is not a directory"),
    (belongs_to_another, "It belongs to another user"),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_a_scratch_directory_that_is_not_private_is_not_used(
    root: Any, change: Any, reason: Any
) -> None:
    change(root)

    with pytest.raises(ScratchFailed) as caught, scratch.scratch("task-1"):
        pass

    assert str(caught.value) == f"The scratch directory failed: {reason}"


@pytest.mark.parametrize("change", [change for change, _ in REFUSED if change is not fifo])
def test_a_scratch_directory_that_is_not_private_is_not_swept(
    left: Any, root: Any, change: Any, caplog: pytest.LogCaptureFixture
) -> None:
    change(root)

    assert scratch.remove_abandoned() == 0

    assert (root / left.name).is_dir()
    assert caplog.messages[0].startswith("scratch_not_swept error=")


# A disk that fails: a retry, with the same words for each fault


@contextmanager
def read_only(root: Path) -> Iterator[None]:
    root.rmdir()
    with mounted(root, "ro,mode=700"):
        yield


@contextmanager
def full(root: Path) -> Iterator[None]:
    root.rmdir()
    with mounted(root, "mode=700,nr_inodes=1"):
        yield


@contextmanager
def full_for_a_lock(root: Path) -> Iterator[None]:
    root.rmdir()
    with mounted(root, "mode=700,size=4k"):
        (root / "other").write_bytes(bytes(4096))
        yield


@contextmanager
def without_descriptors(root: Path) -> Iterator[None]:
    with limited(resource.RLIMIT_NOFILE, 0):
        yield


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (read_only, "Read-only file system"),
        (full, "No space left on device"),
        (full_for_a_lock, "No space left on device"),
        (without_descriptors, "Too many open files"),
    ],
)
def test_a_disk_that_fails_is_said_in_words(root: Any, fault: Any, reason: Any) -> None:
    with fault(root), pytest.raises(ScratchFailed) as caught, scratch.scratch("task-1"):
        pass

    assert str(caught.value) == f"The scratch directory failed: {reason}"


def test_a_disk_that_fails_costs_an_attempt_and_no_task(
    make_task: Callable[..., Task], image_tasks: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    image_tasks["SCRATCH_DIR"] = tmp_path / "file" / "scratch"
    task = make_task()

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.attempts) == ("pending", 1)
    assert task.message == "The scratch directory failed: Not a directory"


def test_a_disk_that_cannot_be_swept_is_logged(
    image_tasks: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    image_tasks["SCRATCH_DIR"] = tmp_path / "file" / "scratch"
    caplog.set_level(logging.WARNING)

    assert scratch.remove_abandoned() == 0

    assert caplog.messages == ['scratch_not_swept error="Not a directory"']


def test_a_user_without_a_name_has_a_scratch_directory_too(
    image_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del image_tasks["SCRATCH_DIR"]
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 123456)

    assert conf.SCRATCH_DIR.name == "image-tasks-123456"
