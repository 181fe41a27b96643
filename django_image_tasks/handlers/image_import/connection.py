"""Connections that only lead to public addresses and trusted hosts, and end in time."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from typing import Any

from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress, get_ip_address
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import TaskFailed, TaskRetry
from django_image_tasks.handlers.image_import.source import is_public, is_trusted, origin_of

MOST_ADDRESSES = 4
URLLIB3_LOGGERS = ("urllib3.connection", "urllib3.connectionpool")


@contextmanager
def open_session(ends: float) -> Iterator[HTTPSession]:
    """A session for one download, cut off at ``ends`` (of :func:`time.monotonic`)."""
    config = Config(
        # Its filter sees only the first address of a host; CheckedConnection asks it about each.
        ip_filter_enable=False,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(conf.IMPORT_CONNECT_TIMEOUT, conf.IMPORT_READ_TIMEOUT),
    )
    adapter = CheckedAdapter()
    guard = threading.Timer(max(0, ends - time.monotonic()), adapter.cut)
    guard.daemon = True
    with HTTPSession(config) as session, without_queries_in_logs():
        session.trust_env = False  # no proxies, no .netrc, no certificates of the environment
        session.headers.update({"Accept": "*/*", "Accept-Encoding": "identity"})
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        guard.start()
        try:
            yield session
        finally:
            guard.cancel()


class CheckedAdapter(HTTPAdapter):
    """Makes every connection a checked one."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        connection = CheckedHTTPSConnection if pool.scheme == "https" else CheckedHTTPConnection
        pool.ConnectionCls = partial(connection, sockets=self._sockets)  # type: ignore[assignment]
        return pool

    def cut(self) -> None:
        """End every exchange: a source that drips never lets a read time out."""
        for each in self._sockets:
            with suppress(OSError):  # already closed
                each.shutdown(socket.SHUT_RDWR)


class CheckedConnection(HTTPConnection):
    """Resolves once, checks every address, and connects to no other."""

    def __init__(self, *args: Any, sockets: list[socket.socket], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sockets = sockets

    def connect(self) -> None:
        super().connect()
        self._sockets.append(self.sock)

    def _new_conn(self) -> socket.socket:
        addresses = resolve(self.host, self.port)[:MOST_ADDRESSES]
        seconds = conf.IMPORT_CONNECT_TIMEOUT / len(addresses)
        for address in addresses:
            try:
                return create_connection((address, self.port), seconds)
            except OSError as error:
                fault = error
        raise _unreachable(fault, origin_of(self.host, self.port))


class CheckedHTTPConnection(CheckedConnection):
    pass


class CheckedHTTPSConnection(CheckedConnection, HTTPSConnection):
    pass
