"""Where verified images go: Django's Storage API, one object for each attempt."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import connections

from django_image_tasks.exceptions import ImageTasksError, ScratchFailed, TaskRetry
from django_image_tasks.handlers.base import Context
from django_image_tasks.log_lines import line

logger = logging.getLogger(__name__)

PART = ".part"
"""Ends the name of what is being written, which no result has."""


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
        try:
            return self._staged.read(size)
        except OSError as error:
            raise ScratchFailed(error) from error


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
    context.check()
    with _staged(path, storage, context) as file, _removed_if_broken(storage, name):
        saved = _put(storage, name, file)
    for earlier in range(1, context.attempt):
        _remove(storage, object_name(image_id, context.task_id, earlier))
    return saved


def discard(image_id: UUID, task_id: UUID, attempt: int) -> None:
    """Remove what an attempt stored, if anything."""
    _delete(get_storage(), object_name(image_id, task_id, attempt))


@contextmanager
def _staged(path: Path, storage: Storage, context: Context) -> Iterator[StagedFile]:
    kind = MovableFile if _on_one_file_system(storage, path) else StagedFile
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as error:
        raise ScratchFailed(error) from error
    with file:
        yield kind(file, lambda: context.progress(size, size))


def _put(storage: Storage, name: str, file: StagedFile) -> str:
    if not isinstance(storage, FileSystemStorage):
        storage.delete(name)
        return storage.save(name, file)
    storage.delete(name + PART)
    part = storage.save(name + PART, file)
    os.replace(storage.path(part), storage.path(name))
    return name


def _delete(storage: Storage, name: str) -> None:
    storage.delete(name)
    if isinstance(storage, FileSystemStorage):
        storage.delete(name + PART)
        with suppress(OSError):  # it holds other objects, or was never made
            os.rmdir(storage.path(os.path.dirname(name)))


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
        _delete(storage, name)
    except Exception as error:  # each backend has its own
        logger.warning(line("image_not_removed", name=name, error=type(error).__name__))
