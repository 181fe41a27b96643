"""What an attempt keeps, who finds it, and when it is removed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from django_image_tasks import checkpoints, claims, executor, scratch
from django_image_tasks import context as context_module
from django_image_tasks.context import TaskContext
from django_image_tasks.exceptions import (
    AttemptFailed,
    LeaseLost,
    ScratchFailed,
    TaskFailed,
)
from django_image_tasks.handlers.base import Kept
from django_image_tasks.models import Task
from django_image_tasks.services import retry_task
from django_image_tasks.sweep import sweep
from tests.engine import workload

KILLED = """
import os, sys
from django.conf import settings
settings.configure(IMAGE_TASKS={"SCRATCH_DIR": sys.argv[1]})
from django_image_tasks.scratch import keep, scratch
with scratch(sys.argv[2]) as path:
    keep(path)
    (path / "part").write_text("half")
    os.kill(os.getpid(), 9)
"""
Make = Callable[..., Task]


@pytest.fixture(autouse=True)
def quick(image_tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    image_tasks["NEXT_ATTEMPT_DELAY"] = timedelta(0)
    image_tasks["ENGINE"] = "tests.engine.workload"  # nobody runs a task but the test
    monkeypatch.setattr("django_image_tasks.sweep.SECOND_LOOK", 0)


@pytest.fixture
def root(image_tasks: Any) -> Path:
    """``SCRATCH_DIR``."""
    root: Path = image_tasks["SCRATCH_DIR"]
    return root


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[TaskContext]]:
    """Run a task's attempts, each by a function of its own, and return their contexts."""

    def run(task: Task, *handles: Callable[[Any], object]) -> list[TaskContext]:
        contexts: list[TaskContext] = []

        def during(context: TaskContext) -> None:
            contexts.append(context)
            handles[len(contexts) - 1](context)

        monkeypatch.setattr(workload.Callback, "during", staticmethod(during))
        for _ in handles:
            executor.run(task.pk)
        return contexts

    return run


Attempts = Callable[..., list[TaskContext]]


def keeps(state: Any, error: Exception | None = None) -> Callable[[Any], None]:
    """A handler that keeps a state and half of a file, and then raises."""

    def handle(context: Any) -> None:
        assert list(context.scratch.iterdir()) == []
        (context.scratch / "part").write_text("half")
        context.checkpoint(state)
        if error:
            raise error

    return handle


def kept_by(context: TaskContext) -> tuple[Any, str]:
    assert context.kept
    assert context.kept.scratch
    return context.kept.state, (context.kept.scratch / "part").read_text()


def killed(task: Task, root: Path, state: Any) -> Path:
    """Start an attempt whose worker keeps something and is killed. Returns its directory."""
    claimed = claims.claim(task.pk)
    assert claimed
    name = checkpoints.directory_name(task.pk, claimed.attempts)
    subprocess.run([sys.executable, "-c", KILLED, str(root), name], check=False)
    claimed.checkpoint, claimed.checkpoint_attempt = state, claimed.attempts
    claimed.record_checkpoint()
    Task.objects.filter(pk=task.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    [directory] = root.glob(f"{name}-*[!k]")
    return directory


def found(context: Any) -> None:
    """A handler that looks at what it finds."""
    context.seen = kept_by(context)


# What the next attempt finds


def test_the_next_attempt_finds_state_and_directory(
    make_task: Make, attempts: Attempts, root: Path
) -> None:
    task = make_task("callback")

    first, second = attempts(task, keeps({"step": 1}, AttemptFailed("Again")), found)

    assert first.kept is None
    assert second.seen == ({"step": 1}, "half")  # type: ignore[attr-defined]
    assert second.scratch != first.scratch
    task.refresh_from_db()
    assert task.status == "success"
    assert list(root.iterdir()) == []


def test_the_state_of_an_attempt_that_keeps_nothing_is_that_of_the_one_before(
    make_task: Make, attempts: Attempts, root: Path
) -> None:
    def nothing(context: Any) -> None:
        raise AttemptFailed("Again")

    task = make_task("callback")

    *_, third = attempts(task, keeps({"step": 1}, AttemptFailed("Again")), nothing, found)

    assert third.seen == ({"step": 1}, "half")  # type: ignore[attr-defined]
    assert list(root.iterdir()) == []


def test_a_later_attempts_state_takes_the_place_of_the_earlier(
    make_task: Make, attempts: Attempts, root: Path
) -> None:
    task = make_task("callback")

    first, second, third = attempts(
        task,
        keeps({"step": 1}, AttemptFailed("Again")),
        keeps({"step": 2}, AttemptFailed("Again")),
        found,
    )

    assert third.seen == ({"step": 2}, "half")  # type: ignore[attr-defined]
    assert third.kept == Kept({"step": 2}, second.scratch)
    assert not first.scratch.exists()


def test_a_killed_attempt_leaves_both(make_task: Make, attempts: Attempts, root: Path) -> None:
    task = make_task("callback")
    directory = killed(task, root, {"step": 1})
    swept = sweep()
    assert (swept.recovered, swept.scratch_removed) == (1, 0)

    [context] = attempts(task, found)

    assert context.seen == ({"step": 1}, "half")  # type: ignore[attr-defined]
    assert not directory.exists()
    assert list(root.iterdir()) == []


def test_on_another_machine_there_is_a_state_and_no_directory(
    make_task: Make, attempts: Attempts, image_tasks: Any, tmp_path: Path
) -> None:
    task = make_task("callback")
    attempts(task, keeps({"step": 1}, AttemptFailed("Again")))
    image_tasks["SCRATCH_DIR"] = tmp_path / "another"

    [context] = attempts(task, lambda context: None)

    assert context.kept == Kept({"step": 1}, None)


def test_a_retry_is_a_new_task_and_begins_with_nothing(
    make_task: Make, attempts: Attempts, root: Path
) -> None:
    task = make_task("callback")
    attempts(task, keeps({"step": 1}, TaskFailed("No")))
    task.refresh_from_db()

    [context] = attempts(retry_task(task), lambda context: None)

    assert context.kept is None
    assert list(root.iterdir()) == []


def test_who_keeps_nothing_pays_nothing(
    make_task: Make, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "remove_abandoned", None)
    monkeypatch.setattr(scratch, "taken_over", None)

    [context] = attempts(make_task("callback"), lambda context: None)

    assert context.kept is None


# The directory's owner


def test_a_directory_that_is_about_to_be_left_is_waited_for(
    make_task: Make, attempts: Attempts, root: Path
) -> None:
    task = make_task("callback")
    directory = killed(task, root, {"step": 1})
    sweep()
    lock = os.open(f"{directory}.lock", os.O_RDWR)
    scratch.fcntl.flock(lock, scratch.fcntl.LOCK_EX)
    Timer(0.5, os.close, [lock]).start()

    [context] = attempts(task, found)

    assert context.seen == ({"step": 1}, "half")  # type: ignore[attr-defined]


@pytest.fixture
def occupied(root: Path) -> Iterator[Callable[[Path], None]]:
    """Have somebody work in a directory until the test ends."""
    locks: list[int] = []

    def occupy(directory: Path) -> None:
        locks.append(os.open(f"{directory}.lock", os.O_RDWR))
        scratch.fcntl.flock(locks[0], scratch.fcntl.LOCK_EX)

    yield occupy
    for lock in locks:
        os.close(lock)


def test_a_directory_that_is_never_left_is_not_waited_for_for_ever(
    make_task: Make, attempts: Attempts, root: Path, occupied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "PATIENCE", 0.2)
    task = make_task("callback")
    directory = killed(task, root, {"step": 1})
    sweep()
    occupied(directory)

    [context] = attempts(task, lambda context: None)

    assert context.kept == Kept({"step": 1}, None)
    assert directory.exists()


def test_an_attempt_that_must_stop_waits_no_longer(root: Path, occupied: Any) -> None:
    with scratch.scratch("task-1") as path:
        scratch.keep(path)
    occupied(path)
    stopped = Event()
    stopped.set()

    began = time.monotonic()
    with scratch.taken_over("task-1", stopped) as found:
        assert found is None
    assert time.monotonic() - began < scratch.PATIENCE / 2


def test_nobody_removes_a_directory_that_is_read(
    make_task: Make, attempts: Attempts, root: Path
) -> None:
    def reads(context: Any) -> None:
        Task.objects.get(pk=context.task_id).cancel("mia")
        Task.objects.get(pk=context.task_id).carry_out_cancel()
        sweep()
        found(context)

    task = make_task("callback")

    _, second = attempts(task, keeps({"step": 1}, AttemptFailed("Again")), reads)

    assert second.seen == ({"step": 1}, "half")  # type: ignore[attr-defined]
    assert list(root.iterdir()) == []


def test_where_there_are_no_locks_the_state_alone_is_kept(
    make_task: Make, attempts: Attempts, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(scratch.fcntl, "flock", flock)
    task = make_task("callback")

    _, second = attempts(task, keeps({"step": 1}, AttemptFailed("Again")), lambda context: None)

    assert second.kept == Kept({"step": 1}, None)
    assert list(root.iterdir()) == []


# When it is removed


def end_in_failure(task: Task) -> None:
    task.refresh_from_db()
    task.cancel("mia")


def keep_elsewhere(task: Task) -> None:
    claimed = claims.claim(task.pk)
    assert claimed
    claimed.checkpoint, claimed.checkpoint_attempt = {"step": 2}, claimed.attempts
    claimed.record_checkpoint()


@pytest.mark.parametrize("end", [end_in_failure, keep_elsewhere, Task.delete])
def test_the_sweep_removes_what_no_attempt_will_ask_for(
    make_task: Make, root: Path, end: Callable[[Task], object]
) -> None:
    task = make_task("callback")
    killed(task, root, {"step": 1})
    assert sweep().scratch_removed == 0
    end(task)

    assert sweep().scratch_removed == 1

    assert list(root.iterdir()) == []


def test_what_was_kept_before_the_state_could_be_written_is_nobodys(
    make_task: Make, root: Path
) -> None:
    task = make_task("callback")
    killed(task, root, None)
    Task.objects.filter(pk=task.pk).update(checkpoint_attempt=None)

    assert sweep().scratch_removed == 1


def test_a_sweep_beside_running_attempts_asks_for_nothing_more(
    make_task: Make, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sweeps(context: Any) -> None:
        keeps({})(context)
        with monkeypatch.context() as patched:
            patched.setattr(checkpoints, "_wanted", None)
            assert checkpoints.remove_abandoned() == 0

    task = make_task("callback")
    attempts(task, sweeps)

    task.refresh_from_db()
    assert task.status == "success"


def test_one_query_for_all_that_was_kept(
    make_task: Make, root: Path, django_assert_num_queries: Any
) -> None:
    tasks = [make_task("callback") for _ in range(3)]
    for task in tasks:
        killed(task, root, {"step": 1})
    tasks[0].delete()

    with django_assert_num_queries(1):
        assert checkpoints.remove_abandoned() == 1


def test_a_full_disk_keeps_nothing(make_task: Make, attempts: Attempts, root: Path) -> None:
    full = ScratchFailed(OSError(errno.ENOSPC, "No space left on device"))
    idle, task = make_task("callback"), make_task("callback")
    killed(idle, root, {"step": 1})

    attempts(task, keeps({"step": 1}, full))

    task.refresh_from_db()
    assert (task.status, task.attempts) == ("pending", 1)
    assert list(root.iterdir()) == []


# What is written, and when


def test_a_state_is_written_at_most_once_a_second(
    make_task: Make, attempts: Attempts, django_assert_num_queries: Any
) -> None:
    def often(context: Any) -> None:
        with django_assert_num_queries(0):
            for step in range(1000):
                context.checkpoint({"step": step})

    task = make_task("callback")
    attempts(task, often)

    task.refresh_from_db()
    assert (task.status, task.checkpoint) == ("success", None)


def test_the_last_state_is_written_when_another_attempt_is_asked_for(
    make_task: Make, attempts: Attempts
) -> None:
    def often(context: Any) -> None:
        done: list[int] = []
        for step in range(10):
            done.append(step)
            context.checkpoint({"done": done})
        done.append(11)  # and not kept
        raise AttemptFailed("Again")

    task = make_task("callback")

    attempts(task, often)

    task.refresh_from_db()
    assert (task.checkpoint, task.checkpoint_attempt) == ({"done": [*range(10)]}, 1)


def test_progress_writes_a_state_that_waits(
    make_task: Make,
    attempts: Attempts,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    def once(context: Any) -> None:
        context.checkpoint({"step": 1})
        monkeypatch.setattr(context_module, "WRITE_INTERVAL", 0)
        context.progress(1, 2)
        row = Task.objects.get(pk=task.pk)
        assert (row.checkpoint, row.checkpoint_attempt) == ({"step": 1}, 1)
        with django_assert_num_queries(1):  # progress alone: nothing waits any more
            context.progress(2, 2)

    task = make_task("callback")

    attempts(task, once)

    task.refresh_from_db()
    assert task.status == "success", task.message


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ([1], "it is list, no dict"),
        ({"path": Path("/")}, "PosixPath is not a type of JSON"),
        ({"a": "\0"}, "a string has a NUL in it"),
        ({"a": "é" * 4096}, "it takes 8200 bytes, more than 8 KiB"),
    ],
)
def test_what_cannot_be_kept_fails_the_task_and_says_why(
    make_task: Make, attempts: Attempts, root: Path, state: Any, reason: str
) -> None:
    task = make_task("callback")

    attempts(task, keeps(state))

    task.refresh_from_db()
    assert (task.status, task.checkpoint) == ("failure", None)
    assert task.message == f"The handler's checkpoint cannot be kept: {reason}"
    assert list(root.iterdir()) == []


def test_the_largest_state_is_kept(make_task: Make, attempts: Attempts) -> None:
    state = {"a": "é" * 4092}
    task = make_task("callback")

    attempts(task, keeps(state, AttemptFailed("Again")))

    task.refresh_from_db()
    assert task.checkpoint == state


def test_no_state_is_kept_in_a_transaction_of_the_handlers(
    make_task: Make, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(context: Any) -> None:
        with transaction.atomic():
            context.checkpoint({})

    monkeypatch.setattr(context_module, "WRITE_INTERVAL", 0)
    task = make_task("callback")

    attempts(task, wrong)

    task.refresh_from_db()
    assert task.status == "failure"
    assert task.message.startswith("checkpoint() was called inside transaction.atomic()")


def test_a_worker_that_lost_its_lease_keeps_nothing(
    make_task: Make, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(context: Any) -> None:
        monkeypatch.setattr(context_module, "WRITE_INTERVAL", 0)
        context.checkpoint({"step": 1})
        Task.objects.filter(pk=task.pk).update(lease_owner="another", attempts=2)
        with pytest.raises(LeaseLost):
            context.checkpoint({"step": 2})

    task = make_task("callback")

    attempts(task, late)

    task.refresh_from_db()
    assert (task.checkpoint, task.checkpoint_attempt) == ({"step": 1}, 1)
