"""OVA, a tar archive that holds the disks of a machine and their description."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from typing import IO, Any

from django_image_tasks.exceptions import TaskFailed

BLOCK = 512
MAX_MEMBERS = 64
DESCRIPTIONS = (".ovf", ".mf", ".cert")
MAX_DESCRIPTION = 2**20
"""Bytes of a description that are looked at."""


class Part(io.RawIOBase):
    """A part of a file that is read like a file of its own."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._place = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._place)
        data = self._file.read(max(0, min(len(buffer), self._size - self._place)))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def disks(archive: IO[bytes]) -> list[IO[bytes]]:
    """The files in an OVA that may be disks: all but its descriptions.

    Raises TaskFailed for an archive that is damaged or holds anything but files, or a description
    that names a file which is not in it.
    """
    members = list(_members(archive))
    names = {name for name, _ in members}
    for name, member in members:
        if name.endswith(".ovf"):
            _check_description(member, names)
    return [member for name, member in members if not name.endswith(DESCRIPTIONS)]


def _members(archive: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    size = archive.seek(0, io.SEEK_END)
    place = 0
    for _ in range(MAX_MEMBERS):
        archive.seek(place)
        header = archive.read(BLOCK)
        if not header.strip(b"\0"):
            return
        # tarfile.open would read an extended header whole, and that may claim to have gibibytes.
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "backslashreplace")
        except tarfile.HeaderError as error:
            raise TaskFailed("Declared ova, found no tar archive") from error
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise TaskFailed(f"Unsafe OVA: {info.name!r} in it is not a file")
        if not 0 <= info.size <= size - place - BLOCK:
            raise TaskFailed(f"Damaged OVA: {info.name!r} in it is cut short")
        yield info.name, io.BufferedReader(Part(archive, place + BLOCK, info.size))
        place += BLOCK + -(-info.size // BLOCK) * BLOCK
    raise TaskFailed(f"Unsafe OVA: more than {MAX_MEMBERS - 1} files are in it")


def _check_description(member: IO[bytes], names: set[str]) -> None:
    text = member.read(MAX_DESCRIPTION).decode()
    if re.search(r"<!(?:DOCTYPE|ENTITY)|\0", text):
        raise TaskFailed("Unsafe OVA: its description declares entities")
    if others := sorted(set(re.findall(r"\bhref\s*=\s*[\"']([^\"']*)", text)) - names):
        raise TaskFailed(
            f"Unsafe OVA: its description names a file that is not in it, {others[0]!r}"
        )
