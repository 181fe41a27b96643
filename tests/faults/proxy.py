"""A loopback proxy that a test can have refuse or freeze whatever goes through it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        yield
        self._listen(self.port)

    @contextmanager
    def freezing(self) -> Iterator[None]:
        """Keep connections, accept new ones, and let no byte through."""
        self._flows.clear()
        yield
        self._flows.set()

    def close(self) -> None:
        if self._server:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
        while self._connections:
            with suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)

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
