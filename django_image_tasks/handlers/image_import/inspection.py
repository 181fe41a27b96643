"""What an image file is, whatever it is called."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from oslo_utils.imageutils.format_inspector import (
    FileInspector,
    ImageFormatError,
    InspectWrapper,
    SafetyCheckFailed,
)

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import ImageTasksError, TaskFailed
from django_image_tasks.handlers.image_import.sizes import readable

CHUNK = 64 * 1024
SECTOR = 512
FLAT = {"raw", "gpt", "iso", "luks"}
"""Formats whose file is the disk."""


@dataclass(frozen=True)
class Inspection:
    disk_format: str
    virtual_size: int
    """Bytes of the disk that the image describes."""


def inspect(path: Path, report: Callable[[], None]) -> Inspection:
    """Tell the format of a file, believing nothing; ``report`` is called while it is read.

    Raises :exc:`~django_image_tasks.exceptions.TaskFailed` for an image that refers to other
    files, is of several formats at once, of one that must not be used, or too large a disk.
    """
    try:
        inspector = _only(_detect(path, report))
        disk_format = "raw" if str(inspector) == "gpt" else str(inspector)  # as Glance says
        if disk_format != "raw":
            inspector.safety_check()
        virtual_size = _virtual_size(inspector, path)
    except (ImageTasksError, OSError):
        raise
    except SafetyCheckFailed as error:
        reasons = ", ".join(str(each) for each in error.failures.values())
        raise TaskFailed(f"Unsafe {inspector} image: {reasons}") from error
    except Exception as error:  # whatever a parser does with a file made to break it
        raise TaskFailed("The image's format cannot be told: its header is damaged") from error
    if virtual_size > conf.IMPORT_MAX_VIRTUAL_SIZE:
        limit = readable(conf.IMPORT_MAX_VIRTUAL_SIZE)
        raise TaskFailed(f"Disk of {readable(virtual_size)} is larger than the limit of {limit}")
    return Inspection(disk_format, virtual_size)


def _detect(path: Path, report: Callable[[], None]) -> list[FileInspector]:
    with path.open("rb") as file:
        found = _formats(file, report)
    if path.stat().st_size < SECTOR and str(found[0]) == "raw":
        # Inspectors want a whole sector; what reads the image later may do with less.
        found = _formats(io.BytesIO(path.read_bytes().ljust(SECTOR, b"\0")), report)
    return found


def _formats(file: IO[bytes], report: Callable[[], None]) -> list[FileInspector]:
    wrapper = InspectWrapper(file)
    while wrapper.formats is None and wrapper.read(CHUNK):
        report()
    wrapper.close()
    return wrapper.formats or []


def _only(found: list[FileInspector]) -> FileInspector:
    names = {str(each): each for each in found}
    if names.keys() == {"iso", "gpt"}:  # a bootable ISO carries a partition table
        return names["iso"]
    if len(names) != 1:
        raise TaskFailed(f"Several formats at once: {', '.join(sorted(names))}")
    return found[0]


def _virtual_size(inspector: FileInspector, path: Path) -> int:
    size = path.stat().st_size if str(inspector) in FLAT else inspector.virtual_size
    if size == 0:  # an inspector's word for unknown; no limit could hold
        raise ImageFormatError(f"No virtual size in {inspector} header")
    return size
