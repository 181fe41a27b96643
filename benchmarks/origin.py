"""Where images are fetched from: an HTTP server on this machine, as fast as the kernel sends."""

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
    """A raw image of so many bytes, always the same."""
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
    """The URL that the images' names are put behind."""
    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
