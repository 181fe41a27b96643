from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Executor, Future, wait


class Digests:
    """Of what is fed to it, by several algorithms at a time.

    Each runs in a thread of ``threads``, while the caller fetches more: hashlib needs no lock of
    the interpreter's for that.
    """

    def __init__(self, algorithms: Iterable[str], threads: Executor) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._threads = threads
        self._running: list[Future[None]] = []

    def update(self, chunk: bytes) -> None:
        wait(self._running)
        self._running = [self._threads.submit(each.update, chunk) for each in self._hashes.values()]

    def hexdigests(self) -> dict[str, str]:
        wait(self._running)
        return {name: each.hexdigest() for name, each in self._hashes.items()}
