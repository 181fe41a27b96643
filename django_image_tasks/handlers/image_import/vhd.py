"""VHD, which ends with a footer that says what it is; where it grows, it begins with a copy."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

from django_image_tasks.exceptions import TaskFailed
from django_image_tasks.handlers.image_import.signatures import tail

MAGIC = b"conectix"
SECTOR = 512
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4


@dataclass(frozen=True)
class Footer:
    kind: int
    size: int
    """Bytes of the disk."""


def has_footer(file: IO[bytes]) -> bool:
    """Whether a file ends like a VHD: all that tells a fixed one from raw."""
    return _footer(tail(file)) is not None


def disk_size(file: IO[bytes]) -> int:
    """Bytes of the disk in a VHD that is whole and alone, else it raises ``TaskFailed``."""
    end = tail(file)
    file_size = file.tell()
    file.seek(0)
    head, foot = _footer(file.read(SECTOR)), _footer(end)
    found = {each for each in (head, foot) if each}
    if any(each.kind == DIFFERENCING for each in found):
        raise TaskFailed("Unsafe vhd image: it has a parent, as every differencing disk does")
    if len(found) != 1:
        raise TaskFailed("Damaged vhd image: its header and its footer disagree")
    [footer] = found
    if footer.kind != (DYNAMIC if head else FIXED):
        raise TaskFailed("Damaged vhd image: its header is missing, or its type is unknown")
    if footer.kind == FIXED and file_size != footer.size + SECTOR:
        raise TaskFailed(
            f"Damaged vhd image: {footer.size} bytes of disk and a footer in a file of {file_size}"
        )
    return footer.size


def _footer(sector: bytes) -> Footer | None:
    """The footer in a sector; before 2004 it had 511 bytes."""
    start = sector.find(MAGIC, 0, len(MAGIC) + 1)
    if start == -1:
        return None
    size, kind = struct.unpack_from(">Q4xI", sector, start + 48)
    return Footer(kind, size)
