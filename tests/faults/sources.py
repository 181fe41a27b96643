"""Sources of images: slow ones, and those that misbehave."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.faults.site import Site
from tests.handlers.fakes import Answer, SourceServer, answer, begin, ranged, running

IMAGE, OTHER = os.urandom(2**20), os.urandom(2**20)
HALF = len(IMAGE) // 2


def slowly(request: BaseHTTPRequestHandler, seconds: float) -> None:
    begin(request, length=len(IMAGE))
    for start in range(0, len(IMAGE), 2**14):
        request.wfile.write(IMAGE[start : start + 2**14])
        time.sleep(seconds * 2**14 / len(IMAGE))


@contextmanager
def source(seconds: float) -> Iterator[SourceServer]:
    """Images that take so many seconds each."""
    with running(SourceServer()) as server:
        server.answers = [partial(slowly, seconds=seconds)]
        yield server


def stalls(request: BaseHTTPRequestHandler) -> None:
    answer(IMAGE, sent=HALF)(request)
    request.rfile.read(1)  # until the client has had enough


def resets(request: BaseHTTPRequestHandler) -> None:
    answer(IMAGE, sent=HALF)(request)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()


def drips_header(request: BaseHTTPRequestHandler) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nServer: " + b"x" * 1000:
        request.connection.send(bytes([byte]))
        time.sleep(0.5)


def drips_body(request: BaseHTTPRequestHandler) -> None:
    begin(request, length=len(IMAGE))
    for byte in IMAGE:
        request.connection.send(bytes([byte]))
        time.sleep(0.1)


MISBEHAVIOUR = {
    "stalls": stalls,
    "resets": resets,
    "ends too early": answer(IMAGE, sent=HALF),
    "drips its header": drips_header,
    "drips its body": drips_body,
}


def sources_misbehave(site: Site, *, for_ever: bool = True) -> None:
    """Each source misbehaves once; what two of them say of their length is never true."""
    expected = {}
    site.keep_workers()
    with ExitStack() as stack:

        def imported(first: Answer, then: Answer, **input: object) -> str:
            server = stack.enter_context(running(SourceServer()))
            server.answers = [first, then]
            site.tried += 1
            return site.submit({"import_from": server.url(), **input}, "import")

        for act in MISBEHAVIOUR.values():
            expected[imported(act, answer(IMAGE))] = IMAGE
        changed = ranged(IMAGE, sent=HALF), ranged(OTHER, etag='"v2"')
        expected[imported(*changed)] = OTHER
        short, long = answer(IMAGE, length=HALF), answer(IMAGE, length=2 * len(IMAGE))
        checksum = {"algorithm": "sha256", "value": sha256(IMAGE).hexdigest()}
        got = f"expected {checksum['value']}, got {sha256(IMAGE[:HALF]).hexdigest()}"
        site.failures[imported(short, short, checksum=checksum)] = f"Checksum mismatch: {got}"
        if for_ever:
            task_id = imported(long, long)
            origin = urlsplit(site.row(task_id)["input"]["import_from"]).netloc
            broke = f"Connection to {origin} broke off"
            site.failures[task_id] = f"{broke} (in the last of 3 attempts)"
        site.expect_success(300)
    for task_id, image in expected.items():
        name = site.row(task_id)["result"]["location"]
        stored = (site.project.directory / "media" / name).read_bytes()
        site.expect(f"{task_id} has other bytes", stored == image)
