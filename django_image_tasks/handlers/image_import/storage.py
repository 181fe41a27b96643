"""Images in Django's storage, where each attempt has an object of its own."""

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

from django_image_tasks.exceptions import AttemptFailed, ImageTasksError, ScratchFailed
from django_image_tasks.handlers.base import Context
from django_image_tasks.log_lines import line

logger = logging.getLogger(__name__)

PART = ".part"
"""Ends the name of a file that is not whole yet. No result has such a name."""


class StagedFile(File):  # type: ignore[type-arg]  # generic in the stubs alone
    """A file that reports progress while it is read, so that a slow storage costs no lease."""

    def __init__(self, file: BinaryIO, report: Callable[[], None]) -> None:
        super().__init__(file)
        self._staged = file
        self._report = report
        self._thread = threading.get_ident()

    def read(self, size: int = -1) -> bytes:
        """Report, and read; raises ScratchFailed where the file cannot be read."""
        self._report()
        if threading.get_ident() != self._thread:
            # The storage reads in a thread of its own, whose connections only we can close.
            connections.close_all()
        try:
            return self._staged.read(size)
        except OSError as error:
            raise ScratchFailed(error) from error


class MovableFile(StagedFile):
    """A file that the storage may move instead of copying it."""

    def temporary_file_path(self) -> str:
        """The path of the file: FileSystemStorage moves a file that has this method."""
        return str(self.name)


def get_storage() -> Storage:
    """``STORAGES["images"]``, or else the default storage."""
    return storages["images" if "images" in storages.backends else "default"]


def object_name(image_id: UUID, task_id: UUID, attempt: int) -> str:
    """The name of an attempt's object, which no other attempt at any task has."""
    return f"images/{image_id}/{task_id}-{attempt}"


def save(path: Path, image_id: UUID, context: Context) -> str:
    """Store an attempt's file, and remove what earlier attempts stored.

    Returns the name in the storage. The file may be moved away. Raises AttemptFailed if the storage
    fails, and whatever ``context`` raises, and then leaves nothing in the storage.
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
    """Remove an attempt's object, if there is one."""
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
    """Store a file in the place of any other of this name, where save() would choose another."""
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
    except (NotImplementedError, OSError):  # the storage is not local, or still empty
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
        raise AttemptFailed(f"The storage failed: {reason}") from error


def _remove(storage: Storage, name: str) -> None:
    try:
        _delete(storage, name)
    except Exception as error:  # each storage has errors of its own
        logger.warning(line("image_not_removed", name=name, error=type(error).__name__))
