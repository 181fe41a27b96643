"""An image that arrives as slowly as a test wants to watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Event

from example_project.images import CLUSTER, qcow2_header
from tests.handlers.fakes import SourceServer, begin, running

CLUSTERS = 100


class SlowSource(SourceServer):
    """Sends half of an image at once, then little by little until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self._go = Event()
        self.answers = [self._send]

    def let_go(self) -> None:
        self._go.set()

    def _send(self, request: BaseHTTPRequestHandler) -> None:
        begin(request, length=CLUSTERS * CLUSTER)
        request.wfile.write(qcow2_header().ljust(CLUSTERS // 2 * CLUSTER, b"\0"))
        for _ in range(CLUSTERS // 2):
            self._go.wait(0.5)
            request.wfile.write(bytes(CLUSTER))


@contextmanager
def slow_source() -> Iterator[SlowSource]:
    source = SlowSource()
    with running(source):
        try:
            yield source
        finally:
            source.let_go()
