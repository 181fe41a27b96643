"""Where verified images go: Django's Storage API, one object for each attempt."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import connections

from django_image_tasks.exceptions import ImageTasksError, TaskRetry
from django_image_tasks.handlers.base import Context
from django_image_tasks.log_lines import line

logger = logging.getLogger(__name__)


class StagedFile(File):  # type: ignore[type-arg]  # generic in the stubs alone
    """A file that reports while it is read: a lease must outlast a slow storage."""

    def __init__(self, file: BinaryIO, report: Callable[[], None]) -> None:
        super().__init__(file)
        self._staged = file
        self._report = report
        self._thread = threading.get_ident()

    def read(self, size: int = -1) -> bytes:
        self._report()
        if threading.get_ident() != self._thread:  # one of the storage's own
            connections.close_all()
        return self._staged.read(size)


class MovableFile(StagedFile):
    """A file that the storage can rename into its place."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def get_storage() -> Storage:
    """``STORAGES["images"]``, else the default one."""
    return storages["images" if "images" in storages.backends else "default"]


def object_name(image_id: UUID, task_id: UUID, attempt: int) -> str:
    """A name that no other task and no other attempt has."""
    return f"images/{image_id}/{task_id}-{attempt}"


def save(path: Path, image_id: UUID, context: Context) -> str:
    """Store an attempt's file, which may be moved away, and return its name in the storage.

    Removes what earlier attempts stored. Raises :exc:`~django_image_tasks.exceptions.TaskRetry`
    if the storage fails, and leaves nothing there.
    """
    storage = get_storage()
    name = object_name(image_id, context.task_id, context.attempt)
    size = path.stat().st_size
    kind = MovableFile if _on_one_file_system(storage, path) else StagedFile
    context.check()
    with _removed_if_broken(storage, name), path.open("rb") as file:
        storage.delete(name)
        saved = storage.save(name, kind(file, lambda: context.progress(size, size)))
    for earlier in range(1, context.attempt):
        _remove(storage, object_name(image_id, context.task_id, earlier))
    return saved


def discard(image_id: UUID, task_id: UUID, attempt: int) -> None:
    """Remove what an attempt stored, if anything."""
    get_storage().delete(object_name(image_id, task_id, attempt))


def _on_one_file_system(storage: Storage, path: Path) -> bool:
    try:
        return os.stat(storage.path("")).st_dev == path.stat().st_dev
    except (NotImplementedError, OSError):  # no local storage, or an empty one
        return False


@contextmanager
def _removed_if_broken(storage: Storage, name: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        _remove(storage, name)
        if isinstance(error, ImageTasksError) or not isinstance(error, Exception):
            raise
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise TaskRetry(f"The storage failed: {reason}") from error


def _remove(storage: Storage, name: str) -> None:
    try:
        storage.delete(name)
    except Exception as error:  # each backend has its own
        logger.warning(line("image_not_removed", name=name, error=type(error).__name__))
