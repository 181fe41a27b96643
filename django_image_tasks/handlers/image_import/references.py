"""References from an image to other files, as far as the inspectors overlook them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import IO
from uuid import UUID

from django_image_tasks.exceptions import TaskFailed
from django_image_tasks.handlers.image_import import vmdk

KIB = 1024


def refuse_references(disk_format: str, file: IO[bytes]) -> None:
    """Check an image of this format for what makes a program that opens it open another file.

    Raises TaskFailed if there is any. The safety checks of the inspectors must be made, too.
    """
    check = CHECKS.get(disk_format)
    if check:
        file.seek(0)
        check(file)


# qcow2 has its incompatible features at 72, and behind its header extensions that may name a file.
EXTENDED_L2 = 1 << 4
DATA_FILE = 0x44415441


def _qcow2(file: IO[bytes]) -> None:
    header = file.read(2048 * KIB)  # the largest cluster, which holds the extensions
    (version,) = struct.unpack_from(">I", header, 4)
    features, place = 0, 72
    if version > 2:
        features, place = struct.unpack_from(">Q20xI", header, 72)
    if features & EXTENDED_L2:
        raise TaskFailed(
            "Extended L2 entries (extended_l2) of qcow2 are not supported: "
            "convert the image first, with qemu-img convert -O qcow2"
        )
    while place + 8 <= len(header):
        kind, length = struct.unpack_from(">II", header, place)
        if kind == DATA_FILE:
            raise TaskFailed("Unsafe qcow2 image: it names a data file")
        if not kind:
            return
        place += 8 + -(-length // 8) * 8


# VDI has the type of image at 76, and at 424 the UUIDs of its parent and of the parent's state.
VDI_1_1 = 0x10001
DYNAMIC, STATIC = 1, 2


def _vdi(file: IO[bytes]) -> None:
    header = file.read(512)
    version, kind = struct.unpack_from("<I4xI", header, 68)
    if version != VDI_1_1:
        raise TaskFailed("Unsupported vdi image: its version is not 1.1")
    if kind not in (DYNAMIC, STATIC) or any(header[424:456]):
        raise TaskFailed("Unsafe vdi image: it has a parent, as every differencing disk does")


# VHDX has two headers, two equal region tables, and in one of the regions a table of metadata.
HEADERS = (64 * KIB, 128 * KIB)
TABLES = (192 * KIB, 256 * KIB)
METADATA_REGION = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
FILE_PARAMETERS = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
PARENT_LOCATOR = UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
HAS_PARENT = 2


def _vhdx(file: IO[bytes]) -> None:
    headers = (_at(file, place, 64) for place in HEADERS)
    if any(any(header[48:]) for header in headers if header.startswith(b"head")):
        # A program that replays the log may write a parent locator from it.
        raise TaskFailed(
            "Unsafe vhdx image: it was not closed, and its log waits to be replayed: "
            "do so first, with qemu-img check -r all"
        )
    table, copy = (_at(file, place, 64 * KIB) for place in TABLES)
    # Programs differ in which table they read, and in which of two entries they take.
    if table != copy or table.count(METADATA_REGION) != 1:
        raise ValueError("Region tables that say different things")
    (region,) = struct.unpack_from("<Q", table, table.index(METADATA_REGION) + 16)
    metadata = _at(file, region, 64 * KIB)
    (count,) = struct.unpack_from("<H", metadata, 10)
    for entry in range(32, 32 * (count + 1), 32):
        kind, place = struct.unpack_from("<16sI", metadata, entry)
        if kind == PARENT_LOCATOR or (
            kind == FILE_PARAMETERS and _at(file, region + place, 8)[4] & HAS_PARENT
        ):
            raise TaskFailed("Unsafe vhdx image: it has a parent, as every differencing disk does")


def _at(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(min(place, 2**40))  # no metadata is so far away; seek() much farther is an OSError
    return file.read(size)


CHECKS: Mapping[str, Callable[[IO[bytes]], None]] = {
    "qcow2": _qcow2,
    "vdi": _vdi,
    "vhdx": _vhdx,
    "vmdk": vmdk.refuse_references,
}
