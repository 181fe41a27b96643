"""A loopback proxy that a test can have refuse, freeze or swallow whatever goes through it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Thread


class Proxy:
    """Passes connections to ``127.0.0.1:port`` on."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._flows, self._connections = Event(), list[socket.socket]()
        self._flows.set()
        self._server: socket.socket | None = None
        self.port = self._listen(0)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Break all connections, and accept no new one."""
        self.close()
        try:
            yield
        finally:
            self._listen(self.port)

    @contextmanager
    def freezing(self) -> Iterator[None]:
        """Keep connections, accept new ones, and let no byte through."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        """As a firewall that drops every packet: no byte goes through, and nobody connects."""
        self._close_server()
        with ExitStack() as stack:
            stack.callback(self._listen, self.port)
            stack.enter_context(self.freezing())
            # A queue of nobody to accept, once it is full, has the kernel drop what comes.
            stack.enter_context(socket.create_server(("127.0.0.1", self.port), backlog=0))
            for _ in range(3):
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", self.port))
            yield

    @contextmanager
    def flapping(self, seconds: float = 1) -> Iterator[None]:
        """Refuse for so many seconds, then pass on for as many, again and again."""
        over = Event()

        def flap() -> None:
            while not over.is_set():
                with self.refusing():
                    over.wait(seconds)
                over.wait(seconds)

        thread = Thread(target=flap)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def close(self) -> None:
        self._close_server()
        while self._connections:
            with suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)

    def _close_server(self) -> None:
        if self._server:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()

    def _listen(self, port: int) -> int:
        self._server = socket.create_server(("127.0.0.1", port), backlog=200)
        Thread(target=self._accept, args=(self._server,), daemon=True).start()
        return int(self._server.getsockname()[1])

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = server.accept()
                Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._flows.wait()
        target = socket.create_connection(("127.0.0.1", self._target))
        with client, target:
            self._connections += [client, target]
            back = Thread(target=self._pass_on, args=(target, client), daemon=True)
            back.start()
            self._pass_on(client, target)
            back.join()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(2**16):
                self._flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
