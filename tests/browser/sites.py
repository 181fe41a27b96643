"""A project that is served, and has a worker, on the database of the test that looks on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from django.contrib.contenttypes.models import ContentType
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import connection

from tests.engines.project import Process, caller

LONG = 20_000
"""Milliseconds that a worker may take to do something."""


@dataclass(frozen=True)
class Site:
    url: str
    environ: dict[str, str]
    directory: Path

    @contextmanager
    def worker(self) -> Iterator[None]:
        log = self.directory / "worker.log"
        command = ("manage.py", "image_tasks", "work", "--every", "1", "db_worker")
        environ = os.environ | self.environ
        process = Process((*command, "--interval", "0.1", "--no-startup-delay"), environ, log)
        try:
            yield
        finally:
            process.kill()
            print(log.read_text())


@contextmanager
def serving(settings: str, directory: Path) -> Iterator[Site]:
    """Serve the project that has these settings."""
    environ = {
        "DJANGO_SETTINGS_MODULE": settings,
        "BROWSER_TESTS_DATABASE": str(connection.settings_dict["NAME"]),
        "BROWSER_TESTS_DIRECTORY": str(directory),
    }
    with caller(environ) as process:
        port = process.submit(serve).result(timeout=60)
        yield Site(f"http://127.0.0.1:{port}", environ, directory)


def serve() -> int:
    """Serve the project of this process, for as long as it lives; returns the port."""
    # A flush between two tests gives the content types other ids.
    request_started.connect(forget_content_types)
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)


def forget_content_types(**kwargs: object) -> None:
    ContentType.objects.clear_cache()
