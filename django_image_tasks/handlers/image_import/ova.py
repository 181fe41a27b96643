"""OVA: a tar archive of a machine's description and its disks."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from typing import IO, Any

from django_image_tasks.exceptions import TaskFailed

BLOCK = 512
MEMBERS = 64
DESCRIPTIONS = (".ovf", ".mf", ".cert")
LONGEST = 2**20
"""Bytes of a description."""


class Part(io.RawIOBase):
    """A part of a file, read as if it were one."""

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
    """The files in an OVA that may be disks.

    Raises ``TaskFailed`` for an archive with anything but files in it, and for a description that
    names what is not in it.
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
    for _ in range(MEMBERS):
        archive.seek(place)
        header = archive.read(BLOCK)
        if not header.strip(b"\0"):
            return
        # Opening the archive would read what a header says that follows it, gibibytes if it says so
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
    raise TaskFailed(f"Unsafe OVA: more than {MEMBERS - 1} files are in it")


def _check_description(member: IO[bytes], names: set[str]) -> None:
    text = member.read(LONGEST).decode()
    if re.search(r"<!(?:DOCTYPE|ENTITY)|\0", text):
        raise TaskFailed("Unsafe OVA: its description declares entities")
    if others := sorted(set(re.findall(r"\bhref\s*=\s*[\"']([^\"']*)", text)) - names):
        raise TaskFailed(
            f"Unsafe OVA: its description names a file that is not in it, {others[0]!r}"
        )
