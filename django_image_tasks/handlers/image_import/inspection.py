"""The format of an image and the size of its disk, found in the file itself."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from oslo_utils.imageutils.format_inspector import (
    FileInspector,
    ImageFormatError,
    InspectWrapper,
    SafetyCheckFailed,
)

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import ImageTasksError, ScratchFailed, TaskFailed
from django_image_tasks.handlers.image_import import ova, vhd
from django_image_tasks.handlers.image_import.references import refuse_references
from django_image_tasks.handlers.image_import.signatures import TAR, refuse_non_images
from django_image_tasks.measures import plain_size

CHUNK = 64 * 1024
DISKS = {"raw", "gpt"}
"""What the inspectors call a raw disk, without and with a partition table."""
PLOOP = (b"WithoutFreeSpace", b"WithouFreSpacExt")
"""How the two kinds of ploop begin. The second is really spelled like that."""


@dataclass(frozen=True)
class Inspection:
    """What was found in an image."""

    disk_format: str
    """In the words of the Image API."""
    virtual_size: int
    """Bytes of the disk that the image describes."""


def inspect(path: Path, report: Callable[[], None], allowed: Set[str] = frozenset()) -> Inspection:
    """Find out what a file is from its contents alone.

    ``report`` is called while it is read. ``allowed`` names the signatures that it may have: with
    ``TAR`` it must be an OVA, with another it counts as raw. Raises TaskFailed for a file that is
    no image, is damaged, refers to other files, has several formats at once or a forbidden one, or
    describes too large a disk, and ScratchFailed if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            refuse_non_images(file, allowed)
            found = _inspect(file, report)
            if TAR in allowed:
                if found.disk_format != "raw":
                    raise TaskFailed(f"Declared ova, found {found.disk_format}")
                found = _inspect_ova(file, report)
    except ImageTasksError:
        raise
    except OSError as error:
        raise ScratchFailed(error) from error
    except Exception as error:  # a file made to break a parser can make it raise anything
        raise TaskFailed("The image's format cannot be told: its header is damaged") from error
    if found.virtual_size > conf.IMPORT_MAX_VIRTUAL_SIZE:
        size, limit = plain_size(found.virtual_size), plain_size(conf.IMPORT_MAX_VIRTUAL_SIZE)
        raise TaskFailed(f"Disk of {size} is larger than the limit of {limit}")
    return found


def _inspect(file: IO[bytes], report: Callable[[], None]) -> Inspection:
    inspectors = {str(each): each for each in _detect(file, report)}
    disk_format = _only(inspectors.keys() | _formats_of_ours(file))
    refuse_references(disk_format, file)
    file_size = file.seek(0, io.SEEK_END)
    match disk_format:
        case "raw":
            return Inspection("raw", file_size)
        case "vhd":
            return Inspection("vhd", vhd.disk_size(file))
        case "ploop":
            return Inspection("ploop", _ploop_size(file))
    inspector = inspectors[disk_format]
    _check_safety(inspector)
    return Inspection(disk_format, _virtual_size(inspector, file_size))


def _inspect_ova(file: IO[bytes], report: Callable[[], None]) -> Inspection:
    found = []
    for disk in ova.disks(file):
        refuse_non_images(disk, frozenset())
        found.append(_inspect(disk, report))
    # An ISO beside the disks is for the machine's virtual DVD drive.
    disk_format = _only({each.disk_format for each in found} - {"iso"})
    sizes = [each.virtual_size for each in found if each.disk_format == disk_format]
    return Inspection(disk_format, sum(sizes))


def _detect(file: IO[bytes], report: Callable[[], None]) -> list[FileInspector]:
    found = _inspectors(file, report)
    if file.seek(0, io.SEEK_END) < CHUNK and str(found[0]) == "raw":
        # The inspectors pass over a header that is cut short; qemu reads it all the same.
        file.seek(0)
        found = _inspectors(io.BytesIO(file.read().ljust(CHUNK, b"\0")), report)
    return found


def _inspectors(file: IO[bytes], report: Callable[[], None]) -> list[FileInspector]:
    file.seek(0)
    chunks = iter(partial(file.read, CHUNK), b"")
    wrapper = InspectWrapper(cast(IO[bytes], chunks))  # no file, which it would close
    while wrapper.formats is None and next(wrapper, None):
        report()
    wrapper.close()
    return wrapper.formats or []


def _formats_of_ours(file: IO[bytes]) -> set[str]:
    """Formats that the inspectors miss: ploop, and VHD, of which they look at the head alone."""
    file.seek(0)
    found = {"ploop"} if file.read(len(PLOOP[0])) in PLOOP else set()
    return found | {"vhd"} if vhd.has_footer(file) else found


def _only(names: Set[str]) -> str:
    """The one format among ``names``; raises TaskFailed if there are several."""
    formats = names - DISKS
    # A bootable ISO carries a partition table, and so does the disk in a fixed VHD.
    if len(formats) > 1 or ("gpt" in names and not formats <= {"iso", "vhd"}):
        raise TaskFailed(f"Several formats at once: {', '.join(sorted(names - {'raw'}))}")
    return next(iter(formats), "raw")


def _check_safety(inspector: FileInspector) -> None:
    try:
        inspector.safety_check()
    except SafetyCheckFailed as error:
        reasons = ", ".join(str(each) for each in error.failures.values())
        raise TaskFailed(f"Unsafe {inspector} image: {reasons}") from error


def _virtual_size(inspector: FileInspector, file_size: int) -> int:
    match str(inspector):
        case "iso":
            return file_size
        case "luks":
            # The inspector takes the place where it stopped reading for the end of the file.
            size = inspector.virtual_size - inspector.actual_size + file_size
        case _:
            size = inspector.virtual_size
    if size < 0 or (size == 0 and str(inspector) == "vhdx"):  # VHDX's says 0 for unknown
        raise ImageFormatError(f"No virtual size in {inspector} header")
    return size


def _ploop_size(file: IO[bytes]) -> int:
    file.seek(0)
    version, sectors = struct.unpack("<16xI16xQ", file.read(44))
    if version != 2:
        raise ImageFormatError(f"No such version of ploop: {version}")
    return int(sectors) * 512
