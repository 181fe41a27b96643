"""No secret of a URL is told by an import: not by its task, its attempts, nor any log line."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from django_image_tasks import executor
from django_image_tasks.models import Task
from tests.handlers.fakes import Answer, SourceServer, answer, redirect
from tests.requirements import needs

needs("requests_hardened")
needs("oslo_utils")

pytestmark = pytest.mark.django_db

LOCATIONS = [
    "http://ada:SECRET@127.0.0.1:1/",
    "http://ada:SECRET%40127.0.0.1:1/",
    "http://ada%3ASECRET%40127.0.0.1:1/",
    "http://SECRET@127.0.0.1:1/",
    "http://SECRET%40127.0.0.1:1/",
    "http://SECRET%2540127.0.0.1:1/",
    "http://ada:SECRET\N{FULLWIDTH COMMERCIAL AT}127.0.0.1:1/",
    "http:%2f%2fada:SECRET@127.0.0.1:1/",
    "http:/%2fada:SECRET@127.0.0.1:1/",
    "http:\\\\ada:SECRET@127.0.0.1:1/",
    "http:/\\ada:SECRET@127.0.0.1:1/",
    "http://ada:SECRET\\@127.0.0.1:1/",
    "http://127.0.0.1\\@ada:SECRET@127.0.0.1:1/",
    "//ada:SECRET@127.0.0.1:1/",
    "///ada:SECRET@127.0.0.1:1/",
    "\\\\ada:SECRET@127.0.0.1:1/",
    "ada:SECRET@127.0.0.1:1/",
    "http:ada:SECRET@127.0.0.1:1/",
    "http://ada:SECRET@[::1]/",
    "http://ada:SECRET@[::1/",
    "http://[ada:SECRET@::1]/",
    "http://ada:SECRET@127.0.0.1:port/",
    "http://ada:SECRET@127.0.0.1:99999/",
    "http://ada:SECRET@127.0.0.1:-1/",
    "http://127.0.0.1:SECRET/",
    "http://127.0.0.1;SECRET/",
    "http://127.0.0.1:1/;sig=SECRET",
    "http://127.0.0.1:1/?sig=SECRET",
    "http://127.0.0.1:1/#SECRET",
    "http://127.0.0.1:1?SECRET",
    "/image;sig=SECRET",
    "/image?sig=SECRET",
    "?sig=SECRET#SECRET",
    "#SECRET",
    " http://ada:SECRET@127.0.0.1:1/",
    "\thttp://ada:SECRET@127.0.0.1:1/",
    "http://ada:SECRET@127.0.0.1:1/ http://ada:SECRET@127.0.0.1:1/",
    "http://ada:SECRET@127.0.0.1:1/\x1b[31m\x00\x85",
    "http://ada: SECRET@127.0.0.1:1/",
    "http://ada:\r\n SECRET@127.0.0.1:1/",
    "ftp://ada:SECRET@127.0.0.1:1/",
    "file://ada:SECRET@127.0.0.1/",
    "HTTP://ADA:SECRET@127.0.0.1:1/",
    "javascript:SECRET",
    "mailto:ada?subject=SECRET",
    "data:,SECRET",
    "\N{DOUBLE-STRUCK CAPITAL R}://ada:SECRET@127.0.0.1:1/",
    "http://ada:SECRET@127.0.0.1:1/\r\nContent-Length: 1\r\nContent-Length: 2\r\nX: SECRET",
    "http://ada:SECRET@127.0.0.1:1/\r\nSECRET without a colon",
]

ODD = st.sampled_from(
    [*" @:/\\?#%;&=[]<>\"'\t\x00\x1b\x7f\x85\u2028\u202e\uff20\uff1a\uff0f", "%40", "%2f"]
)
NOT_FOUND = answer(status=404)


@pytest.fixture(autouse=True)
def _nobody_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        flags = socket.AI_NUMERICHOST
        return real(host, *args, **{**kwargs, "flags": flags})

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(autouse=True)
def _quick_resumptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_image_tasks.handlers.image_import.download.DELAY", 0.001)


@pytest.fixture
def told(
    server: SourceServer,
    configure: Callable[..., None],
    storage_root: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., str]:
    """All that is told of an import which is sent from one place to another."""
    configure(SCRATCH_DIR=tmp_path / "scratch")
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3.util.retry", "urllib3.connectionpool", "requests"):
        caplog.set_level(logging.DEBUG, name)

    def told(path: str, location: str, then: Answer = NOT_FOUND) -> str:
        caplog.clear()
        server.requests.clear()
        header = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()
        server.answers = [lambda request: request.wfile.write(header), then]
        task = Task.objects.create(
            type="import", owner="1", input={"import_from": server.url(path)}
        )
        executor.run(task.pk)
        assert server.requests
        return everything_told(task, caplog)

    return told


Told = Callable[..., str]


def everything_told(task: Task, caplog: pytest.LogCaptureFixture) -> str:
    """In lower case, as a secret in the place of a host would be."""
    task.refresh_from_db()
    assert task.status != "processing"
    attempts = list(task.history.values())
    formatter = logging.Formatter("%(message)s %(args)s")
    lines = [formatter.format(record) for record in caplog.records]
    return json.dumps([task.message, task.result, attempts, lines], default=str).lower()


@pytest.mark.parametrize("location", LOCATIONS)
def test_redirect(told: Told, location: str) -> None:
    assert "secret" not in told("/image", location)


@settings(max_examples=60)
@given(
    st.sampled_from([each for each in LOCATIONS if "ada:SECRET@" in each or "?" in each]),
    st.lists(st.tuples(st.integers(0, 60), ODD), max_size=3),
)
def test_redirect_with_odd_characters_in_it(
    told: Told, location: str, odd: list[tuple[int, str]]
) -> None:
    for place, each in odd:
        location = location[:place] + each + location[place:]
    assert "secret" not in told("/image", location)


@pytest.mark.parametrize(
    "second",
    [
        answer(status=404),
        answer(status=503),
        answer(b""),
        answer(b"image", length=6),
        answer(b"image", length=2**60),
        answer(b"image", Content_Encoding="gzip"),
        redirect("?sig=SECRET"),
        redirect("http://169.254.169.254/?sig=SECRET"),
        lambda request: None,
        lambda request: request.wfile.write(b"SECRET"),
        lambda request: request.wfile.write(b"HTTP/1.1 200 SECRET\r\nSECRET\r\n\r\n"),
        lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\nSECRET: SECRET"),
    ],
)
def test_signed_uri(told: Told, second: Answer) -> None:
    assert "secret" not in told("/image?sig=SECRET", "/other?sig=SECRET", second)


def test_signed_uri_of_an_image_that_arrives(told: Told) -> None:
    everything = told("/image?sig=SECRET", "/other;SECRET?sig=SECRET", answer(b"an image"))
    assert '"disk_format": "raw"' in everything
    assert "secret" not in everything
    assert "source_answered" in everything


def test_signed_uri_is_on_no_list(told: Told, admin_client: Client) -> None:
    told("/image?sig=SECRET", "/other?sig=SECRET")
    for path in ("admin:django_image_tasks_task_changelist", "image_tasks:task-list"):
        page = admin_client.get(reverse(path), headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert b"SECRET" not in page.content
