"""Connections to public addresses and trusted hosts alone, each cut off when the time is up."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from requests import Response
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession  # type: ignore[import-untyped]
from requests_hardened.ip_filter import (  # type: ignore[import-untyped]
    InvalidIPAddress,
    get_ip_address,
)
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import AttemptFailed, ImageTasksError, TaskFailed
from django_image_tasks.handlers.image_import.response_header import StrictResponse
from django_image_tasks.handlers.image_import.source import is_public, is_trusted, netloc

MAX_ADDRESSES = 4
"""Addresses of one host to try; they share the time allowed for connecting."""
LIBRARIES = ("requests", "urllib3")
RECEIVE_BUFFER = 4 * 2**20
"""Bytes, which Linux doubles. What has come and was not read is lost with a process, and is fetched
again; a buffer that Linux sizes by itself grows to 32 MiB since 6.16, to 6 MiB before."""
LARGEST_BUFFER = Path("/proc/sys/net/core/rmem_max")


@contextmanager
def open_session(ends: float) -> Iterator[Session]:
    """A session for one download, cut off at ``ends``, a time of :func:`time.monotonic`."""
    config = Config(
        # This filter would look at a host's first address alone. CheckedConnection looks at all.
        ip_filter_enable=False,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(conf.IMPORT_CONNECT_TIMEOUT, conf.IMPORT_READ_TIMEOUT),
    )
    guard = Guard(ends)
    with Session(config) as session, libraries_out_of_logs():
        session.guard = guard
        session.trust_env = False  # neither proxies nor .netrc
        session.headers["Accept-Encoding"] = "identity"
        session.mount("http://", CheckedAdapter(guard))
        session.mount("https://", CheckedAdapter(guard))
        with guard:
            yield session


class Session(HTTPSession):  # type: ignore[misc]
    """An HTTP session that leaves redirects to its caller, and that another thread can cut off."""

    guard: Guard

    def get_redirect_target(self, resp: Response) -> None:
        """Find none: requests would read the whole body of a redirect into memory."""


class Guard:
    """Shuts sockets down at a given time. A source that drips would never let a read time out."""

    def __init__(self, ends: float) -> None:
        self._sockets: list[socket.socket] = []
        self._is_cut = threading.Event()
        self._timer = threading.Timer(max(0, ends - time.monotonic()), self.cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *exc_info: object) -> None:
        self._timer.cancel()

    def watch(self, sock: socket.socket) -> None:
        """Shut this socket down, too, when the time is up, or at once if it is up."""
        self._sockets.append(sock)
        if self._is_cut.is_set():
            self._shut()

    def forget(self, sock: socket.socket) -> None:
        """Close a socket, and watch it no longer."""
        self._sockets.remove(sock)
        sock.close()

    def cut(self) -> None:
        """End every connection, and let none begin."""
        self._is_cut.set()
        self._shut()

    def run(self, connect: Callable[[], socket.socket]) -> socket.socket:
        """Look up and connect in a thread, as nothing else can give up on a resolver.

        Raises TimeoutError when the time is up.
        """
        connected: Future[socket.socket] = Future()

        def settle() -> None:
            try:
                connected.set_result(connect())
            except Exception as error:
                connected.set_exception(error)

        threading.Thread(target=settle, daemon=True).start()
        while not self._is_cut.is_set():
            if wait([connected], timeout=0.1).done:
                return connected.result()
        connected.add_done_callback(_close)
        raise TimeoutError

    @contextmanager
    def answering_within(self, seconds: float, origin: str) -> Iterator[None]:
        """Shut the sockets down if the block takes longer: a header may drip, too.

        Raises AttemptFailed then.
        """
        timer = threading.Timer(seconds, self._shut)
        timer.daemon = True
        ends = time.monotonic() + seconds
        timer.start()
        try:
            yield
        except Exception:
            if time.monotonic() >= ends:
                raise AttemptFailed(f"{origin} did not answer within {seconds:g} s") from None
            raise
        finally:
            timer.cancel()

    def _shut(self) -> None:
        for sock in [*self._sockets]:
            with suppress(OSError):  # closed already
                # SSLSocket.shutdown drops the TLS layer: a reader would get the encrypted rest.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class CheckedAdapter(HTTPAdapter):
    """A transport of requests whose connections are checked, and watched by a guard."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        cls = CheckedHTTPSConnection if pool.scheme == "https" else CheckedConnection
        pool.ConnectionCls = partial(cls, guard=self._guard)  # type: ignore[assignment]
        return pool


class CheckedConnection(HTTPConnection):
    """Resolves its host once, checks every address, and connects to one of these alone."""

    response_class = StrictResponse

    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard
        self._raw: socket.socket | None = None

    def connect(self) -> None:
        """Connect. Raises TaskFailed for a bad address or certificate, else AttemptFailed."""
        try:
            super().connect()
        except OSError as error:
            raise _unreachable(error, netloc(self.host, self.port)) from None
        finally:
            if self._raw:
                self._guard.forget(self._raw)
        self._guard.watch(self.sock)

    def _new_conn(self) -> socket.socket:
        sock = self._guard.run(self._connected)
        # TLS takes the socket's descriptor away before its handshake, which may take for ever.
        self._raw = sock.dup()
        self._guard.watch(self._raw)
        return sock

    def _connected(self) -> socket.socket:
        addresses = resolve(self.host, self.port)[:MAX_ADDRESSES]
        seconds = conf.IMPORT_CONNECT_TIMEOUT / len(addresses)
        connect = partial(create_connection, timeout=seconds, socket_options=socket_options())
        for address in addresses[:-1]:
            with suppress(OSError):
                return connect((address, self.port))
        return connect((addresses[-1], self.port))


class CheckedHTTPSConnection(CheckedConnection, HTTPSConnection):
    """A checked connection with TLS."""


def socket_options() -> list[tuple[int, int, int | bytes]]:
    """Bound the receive buffer, unless the system would make it smaller and the import slow."""
    with suppress(OSError):
        if int(LARGEST_BUFFER.read_text()) >= RECEIVE_BUFFER:
            return [(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)]
    return []


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as text.

    Raises AttemptFailed if there is none, TaskFailed if one is not public and the host not trusted.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise AttemptFailed(f"{host} could not be resolved") from None
    addresses = list(dict.fromkeys(str(where[0]) for *_, where in found))
    if not is_trusted(host, port) and not all(_passes(each, port) for each in addresses):
        raise TaskFailed(f"{netloc(host, port)} leads to an address that is not public")
    return addresses


def _passes(address: str, port: int) -> bool:
    try:
        get_ip_address(address, port, allow_loopback=False)
    except InvalidIPAddress:
        return False
    return is_public(ip_address(address))


def _close(connected: Future[socket.socket]) -> None:
    """Close a socket that was connected too late."""
    if not connected.exception():
        connected.result().close()


def _unreachable(error: OSError, origin: str) -> ImageTasksError:
    match error:
        case ConnectionRefusedError():
            return AttemptFailed(f"Connection refused by {origin}")
        case TimeoutError():
            return AttemptFailed(
                f"No connection to {origin} within {conf.IMPORT_CONNECT_TIMEOUT:g} s"
            )
        case ssl.SSLCertVerificationError():
            return TaskFailed(f"Certificate of {origin} not accepted: {error.verify_message}")
        case ssl.SSLError():
            return AttemptFailed(f"No TLS connection to {origin}: {error.reason}")
    return AttemptFailed(f"No connection to {origin}: {error.strerror}")


@contextmanager
def libraries_out_of_logs() -> Iterator[None]:
    """Drop what requests and urllib3 log in this thread: they quote URLs, even signed ones."""
    thread = threading.get_ident()

    def passes(record: logging.LogRecord) -> bool:
        return threading.get_ident() != thread

    # A logger's filter does not see what its children log, so each of them gets one.
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in LIBRARIES]
    with ExitStack() as stack:
        for logger in map(logging.getLogger, names):
            logger.addFilter(passes)
            stack.callback(logger.removeFilter, passes)
        yield
