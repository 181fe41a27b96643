from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Executor, Future

BLOCK = 2**20
"""Bytes that are worth a thread's while."""


class Digests:
    """Of what is fed to it, by several algorithms at a time.

    Each runs in a thread of ``threads``, while the caller fetches more: hashlib needs no lock of
    the interpreter's for that.
    """

    def __init__(self, algorithms: Iterable[str], threads: Executor) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._threads = threads
        self._running: list[Future[None]] = []
        self._block = bytearray()

    def update(self, chunk: bytes) -> None:
        self._block += chunk
        if len(self._block) >= BLOCK:
            self._start()

    def hexdigests(self) -> dict[str, str]:
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
