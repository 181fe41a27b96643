"""The file that an image is downloaded to, which another attempt can go on with."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from django_image_tasks.handlers.base import Kept
from django_image_tasks.log_lines import line

logger = logging.getLogger(__name__)

CHUNK = 2**20
FLUSH_INTERVAL = 10.0
"""Seconds from one flush to the disk to the next."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class PartialFile:
    """A file that grows, in a directory that another attempt may take over.

    A process that is killed leaves the whole of it. A machine that goes down leaves what was
    flushed, and perhaps more of it, which cannot be relied on. So the state names the boot.
    """

    def __init__(self, directory: Path, number: int = 1, *, flushed: int = 0) -> None:
        self.number = number
        self.path = directory / _name(number)
        self._earlier: Path | None = None
        self._file = self.path.open("ab")
        self._boot = boot()
        self.flushed = flushed
        """So many bytes are on the disk, and outlive a reboot."""
        self._flushed_at = time.monotonic()
        self._is_flushing = False

    @classmethod
    def taken_over(cls, kept: Kept | None, directory: Path) -> PartialFile | None:
        """The file that an earlier attempt kept, as far as it can be relied on, or ``None``.

        It has two names from then on, so that nothing is lost before the state names the new one.
        """
        if kept is None or kept.scratch is None:
            return None
        path = directory / _name(1)
        try:
            earlier = kept.scratch / _name(kept.state["number"])
            os.link(earlier, path)
            if kept.state["boot"] is None or kept.state["boot"] != boot():
                os.truncate(path, min(kept.state["flushed"], path.stat().st_size))
            partial = cls(directory, flushed=kept.state["flushed"])
        except (OSError, KeyError, TypeError, ValueError):  # gone, no links there, or not ours
            path.unlink(missing_ok=True)
            return None
        partial._earlier = earlier
        return partial

    def state(self) -> Mapping[str, Any]:
        """What another attempt needs to know."""
        return {"number": self.number, "flushed": self.flushed, "boot": self._boot}

    def chunks(self) -> Iterator[bytes]:
        """What is in it."""
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def write(self, chunk: bytes) -> None:
        """Append, and have it flushed now and then."""
        self._file.write(chunk)
        if not self._is_flushing and time.monotonic() >= self._flushed_at + FLUSH_INTERVAL:
            self._is_flushing = True
            self._file.flush()
            open_file = os.dup(self._file.fileno()), self._file.tell()
            # Not waited for: a slow disk would keep the source waiting.
            Thread(target=self._flush, args=open_file, daemon=True).start()

    def replaced(self) -> PartialFile:
        """Remove the file, and begin another under a name that no state has."""
        self.close()
        for path in filter(None, (self.path, self._earlier)):
            path.unlink(missing_ok=True)
        return type(self)(self.path.parent, self.number + 1)

    def close(self) -> None:
        self._file.close()

    def _flush(self, descriptor: int, size: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            # Not tried again: the next one would succeed, and what this one lost would stay lost.
            logger.warning(line("partial_not_flushed", error=error.strerror))
        else:
            self.flushed, self._flushed_at, self._is_flushing = size, time.monotonic(), False
        finally:
            os.close(descriptor)


def boot() -> str | None:
    """What names the time since this machine was started; ``None`` where nothing does."""
    with suppress(OSError):
        return BOOT_ID.read_text().strip()
    return None


def _name(number: int) -> str:
    return f"image-{number:d}"
