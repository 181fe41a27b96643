"""Digests of a byte stream."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Executor, Future

BLOCK = 2**20
"""Bytes to collect before the threads are set to work: less would cost more than it gains."""


class Digests:
    """Hex digests of a byte stream, several algorithms in parallel threads.

    The threads compute while the caller fetches more: hashlib releases the interpreter's lock.
    """

    def __init__(self, algorithms: Iterable[str], threads: Executor) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._threads = threads
        self._running: list[Future[None]] = []
        self._block = bytearray()

    def update(self, chunk: bytes) -> None:
        """Append to the stream. Waits where the threads are a whole block behind."""
        self._block += chunk
        if len(self._block) >= BLOCK:
            self._start()

    def hexdigests(self) -> dict[str, str]:
        """The digests of all that was appended, by the algorithms' names."""
        self._start()
        self._wait()
        return {name: each.hexdigest() for name, each in self._hashes.items()}

    def _start(self) -> None:
        self._wait()
        block, self._block = self._block, bytearray()
        self._running = [self._threads.submit(each.update, block) for each in self._hashes.values()]

    def _wait(self) -> None:
        for future in self._running:
            future.result()
