"""The HTTP server on this machine that images come from, as fast as the kernel sends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread

from benchmarks.place import home
from benchmarks.processes import HOST

BLOCK = 2**20


def image(size: int) -> Path:
    """Return the file of a raw image of so many bytes, whose content is always the same."""
    path = home() / f"image-{size}"
    if not path.exists() or path.stat().st_size != size:
        block = Random(size).randbytes(BLOCK)
        with path.open("wb") as file:
            for _ in range(size // BLOCK):
                file.write(block)
    return path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with (home() / self.path.lstrip("/")).open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Length", str(Path(file.name).stat().st_size))
            self.end_headers()
            self.connection.sendfile(file)

    def log_message(self, *args: object) -> None:
        return


@contextmanager
def origin() -> Iterator[str]:
    """Serve the images, and yield the URL of the directory that they are in."""
    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
