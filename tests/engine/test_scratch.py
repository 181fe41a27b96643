from __future__ import annotations

import os
import subprocess
import sys
import time

from django_image_tasks import scratch


def make_old(path) -> None:
    long_ago = time.time() - 2 * scratch.YOUNG
    os.utime(path, (long_ago, long_ago))


def test_a_directory_is_private_and_named_for_whoever_looks(image_tasks):
    with scratch.scratch("task-1") as path:
        assert path.name.startswith("task-1-")
        assert path.stat().st_mode & 0o777 == 0o700


def test_what_a_killed_process_left_is_removed(image_tasks):
    script = (
        "import os, fcntl, sys; fd = os.open(sys.argv[1], os.O_RDONLY);"
        "fcntl.flock(fd, fcntl.LOCK_EX); os.kill(os.getpid(), 9)"
    )
    left = image_tasks["SCRATCH_DIR"] / "task-1-x"
    left.mkdir(parents=True)
    (left / "image").write_bytes(b"0" * 1000)
    subprocess.run([sys.executable, "-c", script, str(left)], check=False)
    make_old(left)

    assert scratch.remove_abandoned() == 1
    assert not left.exists()


def test_the_directory_of_a_living_process_stays(image_tasks):
    with scratch.scratch("task-1") as path:
        make_old(path)
        assert scratch.remove_abandoned() == 0
        assert path.exists()


def test_a_directory_just_made_stays_though_it_has_no_lock_yet(image_tasks):
    (image_tasks["SCRATCH_DIR"] / "task-1-x").mkdir(parents=True)

    assert scratch.remove_abandoned() == 0
