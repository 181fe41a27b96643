"""A source of one large image that counts what it sends, and lets a rest be asked for."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any

from tests.handlers.fakes import SourceServer, begin, running

BLOCK = 2**16
NOISE = os.urandom(BLOCK - 8)


class CountedSource:
    """Sends an image of which no two blocks are the same, at so many bytes a second."""

    def __init__(self, size: int, rate: float = float("inf")) -> None:
        self.size, self.rate = size, rate
        self.sends_rest = True
        """Whether it can be asked for a rest alone."""
        self.sent = 0
        self._lock = Lock()
        self._calls: list[tuple[int, Callable[[], object]]] = []

    @property
    def share(self) -> float:
        """How often the image was sent, as a whole or in parts."""
        return self.sent / self.size

    def sha512(self) -> str:
        digest = hashlib.sha512()
        for block in self._blocks(0):
            digest.update(block)
        return digest.hexdigest()

    def call_at(self, sent: int, function: Callable[[], object]) -> None:
        """Have a function called once so many bytes were sent."""
        self._calls.append((sent, function))

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        headers = {"ETag": '"1"', "Accept_Ranges": "bytes"} if self.sends_rest else {}
        asked = request.headers.get("Range")
        start = 0
        if asked and request.headers.get("If-Range") == '"1"':
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers["Content_Range"] = f"bytes {start}-{self.size - 1}/{self.size}"
        begin(request, 206 if start else 200, self.size - start, **headers)
        for block in self._blocks(start):
            request.wfile.write(block)
            self._count(len(block))
            time.sleep(len(block) / self.rate)

    def _blocks(self, start: int) -> Iterator[bytes]:
        number, offset = divmod(start, BLOCK)
        while number * BLOCK < self.size:
            block = (number.to_bytes(8) + NOISE)[offset : self.size - number * BLOCK]
            yield block
            number, offset = number + 1, 0

    def _count(self, size: int) -> None:
        with self._lock:
            self.sent += size
            due = [call for call in self._calls if call[0] <= self.sent]
            self._calls = [call for call in self._calls if call not in due]
        for _, function in due:
            function()


@contextmanager
def counted(size: int, rate: float = float("inf")) -> Iterator[tuple[CountedSource, Any]]:
    """The source, and the server that it is behind."""
    source = CountedSource(size, rate)
    with running(SourceServer()) as server:
        server.answers = [source.answer]
        yield source, server
