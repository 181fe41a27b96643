"""What a source may send before the image, byte for byte."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from django_image_tasks.exceptions import AttemptFailed, TaskFailed
from django_image_tasks.handlers.image_import import source
from tests.handlers.fakes import Answer, FakeContext, SourceServer
from tests.requirements import needs

needs("requests_hardened")

from django_image_tasks.handlers.image_import.download import download  # noqa: E402

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 5\r\n\r\nimage"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"

Fetch = Callable[[bytes], bytes]


def raw(sent: bytes) -> Answer:
    return lambda request: request.wfile.write(sent)


@pytest.fixture
def fetch(server: SourceServer, context: FakeContext) -> Fetch:
    """The image, from a source that sends these bytes and closes the connection."""

    def fetch(sent: bytes) -> bytes:
        server.answers = [raw(sent)]
        uri = server.url("/image?signature=secret")
        return download(source.parse(uri), context, ["md5"]).path.read_bytes()

    return fetch


@pytest.mark.parametrize(
    "sent",
    [
        WHOLE,
        HINTS + WHOLE,
        b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS + b"HTTP/1.1 102 Processing\r\n\r\n" + WHOLE,
        HINTS * 10 + WHOLE,
        OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nimage",
        OK + b"Transfer-Encoding: Chunked\r\n\r\n5\r\nimage\r\n0\r\n\r\n",
        OK + b"Content-Type: multipart/mixed; boundary=x\r\nContent-Length: 5\r\n\r\nimage",
        OK + b"X: y\r\n" * 98 + b"Content-Length: 5\r\n\r\nimage",
        OK + b"X: " + b"y" * 65000 + b"\r\nContent-Length: 5\r\n\r\nimage",
        b"HTTP/1.0 200 OK\r\n\r\nimage",
        b"HTTP/1.1 200\nContent-Length: 5\n\nimage",
    ],
)
def test_answer_that_is_taken(fetch: Fetch, sent: bytes) -> None:
    assert fetch(sent) == b"image"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (HINTS * 11 + WHOLE, "Source sent more than 10 interim answers"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "Source sent more than 10 interim answers"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "Source answered 101 Switching Protocols"),
        (
            OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nimage",
            "Source sent two different Content-Lengths",
        ),
        (
            OK + b"Content-Length: 5, 6\r\n\r\nimage",
            "Source sent a Content-Length that is no number",
        ),
        (OK + b"Content-Length: -5\r\n\r\n", "Source sent a Content-Length that is no number"),
        (OK + b"Content-Length: +5\r\n\r\n", "Source sent a Content-Length that is no number"),
        (OK + b"Content-Length: 1_0\r\n\r\n", "Source sent a Content-Length that is no number"),
        (OK + b"Content-Length:\r\n\r\nimage", "Source sent a Content-Length that is no number"),
        (
            OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nimage",
            "Source sent a Content-Length that is no number",
        ),
        (
            OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nimage\r\n0\r\n\r\n",
            "Source sent both a Content-Length and a Transfer-Encoding",
        ),
        (
            OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nimage\r\n0\r\n\r\n",
            "Source sent a Transfer-Encoding other than chunked",
        ),
        (
            OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Source sent a Transfer-Encoding other than chunked",
        ),
        (
            OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Source sent a Transfer-Encoding other than chunked",
        ),
        (OK + b"X: y\r\n" * 100 + b"\r\nimage", "Source sent more than 100 header lines"),
        (HINTS[:-2] + b"X: y\r\n" * 100, "Source sent more than 100 header lines"),
        (
            OK + b"X: " + b"y" * 2**16 + b"\r\n\r\nimage",
            "Source sent a header line of more than 64 KiB",
        ),
        (
            b"HTTP/1.1 200 " + b"O" * 2**16 + b"\r\n\r\nimage",
            "Source sent a header line of more than 64 KiB",
        ),
        (
            OK + b"nothing\r\nContent-Length: 5\r\n\r\nimage",
            "Source sent a header that cannot be read",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "Source does not speak HTTP/1.1"),
        (b"HTTP/1.1 OK\r\n\r\n", "Source does not speak HTTP/1.1"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "Source does not speak HTTP/1.1"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "Source does not speak HTTP/1.1"),
        (b"<html>an answer of HTTP/0.9", "Source does not speak HTTP/1.1"),
        (b"QFI\xfb" + bytes(100), "Source does not speak HTTP/1.1"),
    ],
)
def test_answer_that_another_attempt_would_not_mend(
    server: SourceServer, fetch: Fetch, sent: bytes, message: str
) -> None:
    with pytest.raises(TaskFailed) as caught:
        fetch(sent)
    assert str(caught.value) == message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HT",
        b"HTTP/1.1 200 O",
        OK,
        OK + b"Content-Len",
        OK + b"Content-Length: 5\r\n",
        OK + b"Content-Length: 5\r\n\r\n",
        HINTS,
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_connection_that_breaks_is_the_executors_to_retry(
    server: SourceServer, context: FakeContext, sent: bytes, reset: bool
) -> None:
    def break_off(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(sent)
        if reset:
            linger = struct.pack("ii", 1, 0)
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            request.connection.close()

    server.answers = [break_off]
    with pytest.raises(AttemptFailed) as caught:
        download(source.parse(server.url()), context, ["md5"])
    assert str(caught.value) == f"Connection to {server.origin} broke off"
    assert len(server.requests) == 1
