"""VHD, a disk with a footer that describes it. A dynamic one also begins with a copy of that."""

from __future__ import annotations

import struct
from typing import IO

from django_image_tasks.exceptions import TaskFailed
from django_image_tasks.handlers.image_import.signatures import tail

MAGIC = b"conectix"
SECTOR = 512
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4


def has_footer(file: IO[bytes]) -> bool:
    """Whether a file ends like a VHD. Nothing else tells a fixed one from a raw disk."""
    return _footer(tail(file)) is not None


def disk_size(file: IO[bytes]) -> int:
    """Bytes of the disk in a VHD; raises TaskFailed for one with a parent or contradictions."""
    end = tail(file)
    file_size = file.tell()
    file.seek(0)
    head, foot = _footer(file.read(SECTOR)), _footer(end)
    found = {each for each in (head, foot) if each}
    if any(kind == DIFFERENCING for kind, _ in found):
        raise TaskFailed("Unsafe vhd image: it has a parent, as every differencing disk does")
    if len(found) != 1:
        raise TaskFailed("Damaged vhd image: its header and its footer disagree")
    [(kind, size)] = found
    if kind != (DYNAMIC if head else FIXED):
        raise TaskFailed("Damaged vhd image: its header is missing, or its type is unknown")
    if kind == FIXED and file_size != size + SECTOR:
        raise TaskFailed(
            f"Damaged vhd image: {size} bytes of disk and a footer in a file of {file_size}"
        )
    return size


def _footer(sector: bytes) -> tuple[int, int] | None:
    """The kind and size of the disk, in bytes, if the sector is a footer."""
    start = sector.find(MAGIC, 0, len(MAGIC) + 1)  # footers made before 2004 have 511 bytes
    if start == -1:
        return None
    size, kind = struct.unpack_from(">Q4xI", sector, start + 48)
    return kind, size
