"""VMDK, a sparse disk in which a text, the descriptor, may name other files."""

from __future__ import annotations

import io
import re
import struct
from typing import IO, NoReturn

from django_image_tasks.exceptions import TaskFailed
from django_image_tasks.handlers.image_import.signatures import HEAD, ONE_FILE, SPLIT

SECTOR = 512
AT_END = 2**64 - 1
"""The place of the grain directory in a stream's header: it stands in the footer alone."""
ALONE = {b"monolithicsparse", b"streamoptimized"}
"""Values of ``createType``, in lower case, for a disk that is all in this file."""


def refuse_references(file: IO[bytes]) -> None:
    """Raise TaskFailed for a VMDK in which any program may find the name of another file.

    Some programs search the descriptor for a word, others read it line by line: of a word that is
    there twice, they find different ones.
    """
    header = file.read(SECTOR)
    if not header.startswith(b"KDMV"):
        raise TaskFailed(f"Source answered a VMDK descriptor, {SPLIT}")
    capacity, descriptor, sectors, directory = struct.unpack_from("<Q8xQQ12xQ", header, 12)
    if not descriptor:
        raise TaskFailed(f"Source answered one extent of a VMDK, {SPLIT}")
    if not capacity:  # of such a file, qemu opens the extents that the descriptor names
        _refuse("size of 0 bytes")
    if directory == AT_END:
        file.seek(max(0, file.seek(0, io.SEEK_END) - 2 * SECTOR))
        if struct.unpack_from("<12xQ", file.read(SECTOR)) != (capacity,):
            raise TaskFailed("Damaged vmdk image: its header and its footer disagree on its size")
    file.seek(SECTOR)
    # Programs read on to the first NUL, however short the header says that the descriptor is.
    text = file.read(max(HEAD, min(sectors, 2048) * SECTOR)).partition(b"\0")[0]
    _check_parent(text)
    _check_extents(text.lower())


def _check_parent(text: bytes) -> None:
    if hint := re.search(rb"(?i)parentFileNameHint[ =\"]*([^\n\"]{,255})", text):
        name = hint[1].decode("ascii", "backslashreplace").strip()
        raise TaskFailed(f"Unsafe vmdk image: it names a parent, {name!r}")
    if any(cid.lower() != b"ffffffff" for cid in re.findall(rb"(?i)parentCID\W*(\w*)", text)):
        raise TaskFailed("Unsafe vmdk image: it names a parent, by its parentCID")


def _check_extents(text: bytes) -> None:
    kinds = re.findall(rb'createtype(?:="(\w{,64})"(?!\S))?', text)
    extents = re.findall(rb"(?:\A|[\r\n])[ \t]*(?:rw|rdonly|noaccess)\b[^\r\n]*", text)
    if len(kinds) != 1 or kinds[0] not in ALONE:
        named = b" and ".join(kind or b"unknown" for kind in kinds[:2] or [b""])
        _refuse(f"createType {named.decode('ascii', 'backslashreplace')}")
    if len(extents) != 1 or b" sparse " not in extents[0]:
        _refuse("extents")


def _refuse(reason: str) -> NoReturn:
    raise TaskFailed(f"Unsafe vmdk image: its disk is in other files, by its {reason}: {ONE_FILE}")
