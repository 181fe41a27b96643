"""The directories that attempts keep their files in while they run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django_image_tasks.conf import conf

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: what a killed worker leaves there stays.
    fcntl = None

YOUNG = 60.0
"""Seconds within which a directory may not have its lock yet."""


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """An empty directory, locked for as long as this process lives, and removed in the end."""
    conf.SCRATCH_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = Path(mkdtemp(prefix=f"{name}-", dir=conf.SCRATCH_DIR))
    try:
        with _lock(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def remove_abandoned() -> int:
    """Remove the directories, on this machine, of processes that are dead; returns how many."""
    removed = 0
    for path in conf.SCRATCH_DIR.iterdir() if fcntl and conf.SCRATCH_DIR.is_dir() else ():
        try:
            if time.time() - path.stat().st_mtime < YOUNG:
                continue
            with _lock(path):
                shutil.rmtree(path)
                removed += 1
        except OSError:
            continue
    return removed


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Raises BlockingIOError while another living process has the lock."""
    if not fcntl:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
