"""The download of an image to the scratch directory, resumed where it broke off.

So it is when the connection broke, and when the attempt did and the next one finds what it kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone
from requests import Response

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import AttemptFailed, ScratchFailed, TaskFailed
from django_image_tasks.handlers.base import Context
from django_image_tasks.handlers.image_import.connection import Session, open_session
from django_image_tasks.handlers.image_import.digests import Digests
from django_image_tasks.handlers.image_import.partial_file import PartialFile
from django_image_tasks.handlers.image_import.response import chunks, get
from django_image_tasks.handlers.image_import.rest import headers_for, total_of, validator_in
from django_image_tasks.handlers.image_import.source import Source
from django_image_tasks.measures import plain_size

RESUMPTIONS = 5
"""Attempts to resume in a row that may bring not one byte more."""
DELAY = 1.0
"""Seconds before a transfer is resumed; doubled after each attempt that brought nothing."""
LONGEST_PAUSE = 60.0
"""Seconds. A source that wants to be left alone for longer is another attempt's."""


@dataclass(frozen=True)
class Download:
    """A file that arrived whole, and its digests."""

    path: Path
    size: int
    """In bytes."""
    digests: dict[str, str]
    """Hexadecimal digests by the names of their algorithms."""


def download(source: Source, context: Context, algorithms: Iterable[str]) -> Download:
    """Download a source into the attempt's scratch directory, and compute digests meanwhile.

    Raises AttemptFailed if another attempt may bring the file, ScratchFailed if it cannot be
    written, TaskFailed if the source or the file is refused, and whatever ``context`` raises.
    """
    try:
        return Transfer(source, context, algorithms).run()
    except OSError as error:
        raise ScratchFailed(error) from error


class TooSlow(AttemptFailed):
    """The source drips. To go on where it was would take as long again."""


class Transfer:
    """A download in progress: what has arrived, and what is needed to ask for the rest."""

    def __init__(self, source: Source, context: Context, algorithms: Iterable[str]) -> None:
        self.source = source
        self.context = context
        self.algorithms = set(algorithms)
        self.max_size = conf.IMPORT_MAX_SIZE
        left = (context.deadline - timezone.now()).total_seconds()
        self.seconds = max(0, min(conf.IMPORT_TIMEOUT, left))
        self.ends = time.monotonic() + self.seconds
        self.threads = ThreadPoolExecutor()
        kept = PartialFile.taken_over(context.kept, context.scratch)
        self.file = kept or PartialFile(context.scratch)
        self._forget(context.kept.state if kept and context.kept else {})

    def run(self) -> Download:
        """Download the whole file, resuming as often as is worth it."""
        with self.threads, closing(self), open_session(self.ends) as session:
            with self.context.on_stop(session.guard.cut):
                self._read_again()
                self._receive_all(session)
            digests = self.digests.hexdigests()
        return Download(self.file.path, self.done, digests)

    def close(self) -> None:
        self.file.close()

    def _start_over(self) -> None:
        if self.done:
            self.file = self.file.replaced()
        self._forget({})

    def _forget(self, state: Mapping[str, Any]) -> None:
        self.done = 0
        self.kept: int | None = None
        self.total: int | None = state.get("total")
        self.validator: str | None = state.get("validator")
        self.digests = Digests(self.algorithms, self.threads)

    def _read_again(self) -> None:
        """Count what an earlier attempt has kept, whose digests nothing could keep."""
        for chunk in self.file.chunks():
            self.done += len(chunk)
            self._check_size(self.done)
            self.digests.update(chunk)
            self._report()

    def _receive_all(self, session: Session) -> None:
        furthest, fruitless = self.done, 0
        while not 0 < self.done == self.total:
            try:
                self._receive(session)
                return
            except TooSlow:
                raise
            except AttemptFailed as error:
                self._check_time()
                fruitless = 0 if self.done > furthest else fruitless + 1
                furthest = max(furthest, self.done)
                wait = (error.after or timedelta()).total_seconds()
                if furthest == 0 or fruitless >= RESUMPTIONS or wait > LONGEST_PAUSE:
                    raise
            self._pause(max(DELAY * 2**fruitless, wait))

    def _receive(self, session: Session) -> None:
        """Make one request and keep its body. The file is whole if this returns."""
        with get(session, self.source, self._headers(), self._report) as response:
            self._place(response)
            self._check_size(self.total or 0)
            self._window = time.monotonic(), self.done
            for chunk in chunks(response):
                self._keep(chunk)
        if self.total is None:
            self._check_time()  # without a length, a body that the guard cut off looks whole
        elif self.done != self.total:
            raise AttemptFailed(f"{self.source.origin} sent {self.done} of {self.total} bytes")
        if self.done == 0:
            raise TaskFailed("Source answered with an empty body")

    def _headers(self) -> dict[str, str]:
        if not self.validator or not 0 < self.done < (self.total or self.max_size):
            return {}
        return headers_for(self.done, self.validator)

    def _place(self, response: Response) -> None:
        """Make the file end where the body begins: at its start, unless the body is the rest."""
        if response.status_code == 206 and self._goes_on(response.headers):
            return
        self._start_over()
        if response.status_code != 200:
            raise AttemptFailed(f"{self.source.origin} did not go on with what it had begun")
        self.total = response.raw.length_remaining
        self.validator = validator_in(response.headers)

    def _goes_on(self, headers: Mapping[str, str]) -> bool:
        """Whether a 206 holds what is missing, of the same image."""
        if not self.validator:
            return False
        total = total_of(headers, self.done, self.validator)
        if total is None or total not in (0, self.total or total):
            return False
        self.total = self.total or total or None
        return True

    def _keep(self, chunk: bytes) -> None:
        self.done += len(chunk)
        self._check_size(self.done)
        self.digests.update(chunk)
        self.file.write(chunk)
        self._check_rate()
        self._report()

    def _check_rate(self) -> None:
        began, done = self._window
        seconds = time.monotonic() - began
        if seconds < conf.IMPORT_READ_TIMEOUT:
            return
        if self.done - done < conf.IMPORT_MIN_RATE * seconds:
            rate = plain_size(conf.IMPORT_MIN_RATE)
            raise TooSlow(f"{self.source.origin} sent less than {rate} a second")
        self._window = time.monotonic(), self.done

    def _report(self) -> None:
        self.context.progress(self.done, self.total)
        if self.validator and self.kept != self.file.flushed:  # asked for each chunk
            self.kept = self.file.flushed
            state = {"total": self.total, "validator": self.validator}
            self.context.checkpoint({**self.file.state(), **state})

    def _check_size(self, size: int) -> None:
        if size > self.max_size:
            raise TaskFailed(f"Larger than the limit of {plain_size(self.max_size)}")

    def _check_time(self) -> None:
        if time.monotonic() >= self.ends:
            self.context.check()
            raise AttemptFailed(f"Only {plain_size(self.done)} arrived within {self.seconds:.0f} s")

    def _pause(self, seconds: float) -> None:
        wakes = min(time.monotonic() + seconds, self.ends)
        while (left := wakes - time.monotonic()) > 0:
            self._report()
            self.context.stopped.wait(min(left, 1))
        self._check_time()
