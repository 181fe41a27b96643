"""An import stops at once, whatever it waits for, and leaves a source that is too slow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connections
from django.utils import timezone
from django.utils.http import http_date

from django_image_tasks import executor
from django_image_tasks.exceptions import AttemptFailed, TaskCancelled
from django_image_tasks.handlers.image_import.source import Source
from django_image_tasks.models import Task
from django_image_tasks.services import create_task
from tests.handlers.conftest import use_storage
from tests.handlers.fakes import FakeContext, SourceServer, answer, begin
from tests.requirements import needs

needs("requests_hardened")
needs("oslo_utils")

from django_image_tasks.handlers.image_import.download import download  # noqa: E402

IMAGE = bytes(range(256)) * 4096  # 1 MiB
LONG = 30.0


class SlowStorage(FileSystemStorage):
    """Takes its time over each chunk, as a distant one does."""

    def _save(self, name: str, content: Any) -> str:
        for _ in content.chunks(2**10):
            time.sleep(0.1)
        return super()._save(name, content)


@contextmanager
def stalling_at(step: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a source with which an import waits for ever at this step."""
    if step == "resolve":
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(LONG))
        yield "http://stalling.example/image"
        return
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        # A queue that is full: Linux lets a further connection wait.
        fillers = [socket.socket() for _ in range(3 if step == "connect" else 0)]
        for filler in fillers:
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(("127.0.0.1", port))
        scheme = "https" if step == "handshake" else "http"
        yield f"{scheme}://127.0.0.1:{port}/image"
        for filler in fillers:
            filler.close()


def hold(request: Any) -> None:
    """Send one byte less than was said, and nothing more."""
    begin(request, length=len(IMAGE))
    request.wfile.write(IMAGE[:-1])
    request.wfile.flush()
    request.server.stalled.wait(LONG)


class Worker:
    """Runs a task in a thread of its own."""

    def __init__(self, uri: str) -> None:
        self.task = create_task("import", {"import_from": uri}, owner="1")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            executor.run_next()
        finally:
            connections.close_all()

    def seconds_to_stop(self) -> float:
        time.sleep(1.5)
        assert self._thread.is_alive(), Task.objects.get(pk=self.task.pk).message
        began = time.monotonic()
        Task.objects.get(pk=self.task.pk).cancel("mia")
        self._thread.join(LONG)
        return time.monotonic() - began


@pytest.fixture
def work(transactional_db: None, configure: Callable[..., None], tmp_path: Path) -> Any:
    configure(
        ENGINE="tests.engine.workload",
        SCRATCH_DIR=tmp_path / "scratch",
        IMPORT_TRUSTED_HOSTS=["127.0.0.1", "stalling.example"],
        IMPORT_CONNECT_TIMEOUT=LONG,
        IMPORT_READ_TIMEOUT=LONG,
    )
    return Worker


@pytest.mark.parametrize("step", ["resolve", "connect", "handshake", "header"])
def test_a_cancel_frees_the_worker_while_the_connection_is_made(
    work: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with stalling_at(step, monkeypatch) as uri:
        worker = work(uri)
        assert worker.seconds_to_stop() < 3

    worker.task.refresh_from_db()
    assert (worker.task.status, worker.task.message) == ("failure", "Cancelled by mia")


def test_a_cancel_frees_the_worker_while_the_body_stalls(work: Any, server: SourceServer) -> None:
    server.stalled = threading.Event()  # type: ignore[attr-defined]
    server.answers = [hold]
    worker = work(server.url())

    assert worker.seconds_to_stop() < 3
    server.stalled.set()  # type: ignore[attr-defined]


def test_a_cancel_frees_the_worker_while_the_image_is_stored(
    work: Any, server: SourceServer, settings: Any, tmp_path: Path
) -> None:
    use_storage(settings, f"{__name__}.SlowStorage", tmp_path / "storage")
    server.answers = [answer(IMAGE)]
    worker = work(server.url())

    assert worker.seconds_to_stop() < 3
    assert not [path for path in (tmp_path / "storage").rglob("*") if path.is_file()]


def test_a_socket_that_is_connected_too_late_is_closed(
    monkeypatch: pytest.MonkeyPatch, context: FakeContext, server: SourceServer, configure: Any
) -> None:
    configure(IMPORT_TIMEOUT=0.3)
    connected: list[socket.socket] = []
    real = socket.getaddrinfo

    def late(*args: Any, **kwargs: Any) -> Any:
        time.sleep(1)
        return real(*args, **kwargs)

    def remember(sock: socket.socket, address: Any) -> None:
        connected.append(sock)
        return plain(sock, address)

    plain = socket.socket.connect
    monkeypatch.setattr(socket, "getaddrinfo", late)
    monkeypatch.setattr(socket.socket, "connect", remember)
    with pytest.raises(AttemptFailed):
        download(Source("http", "127.0.0.1", server.server_port, "/image"), context, ["md5"])

    time.sleep(2.5)  # the library looks the address up once more
    assert [sock.fileno() for sock in connected] == [-1]


def drip(rate: float, header: bool) -> Callable[[Any], None]:
    def act(request: Any) -> None:
        if header:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        else:
            begin(request, length=len(IMAGE))
        for _ in range(100):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(1 / rate)

    return act


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (False, " sent less than 1 KiB a second"),
        (True, " did not answer within 1 s"),
    ],
)
def test_a_source_that_drips_is_given_up(
    server: SourceServer, context: FakeContext, configure: Any, header: bool, message: str
) -> None:
    configure(IMPORT_READ_TIMEOUT=0.5, IMPORT_CONNECT_TIMEOUT=0.5)
    server.answers = [drip(10, header)]
    began = time.monotonic()

    with pytest.raises(AttemptFailed) as caught:
        download(Source("http", "127.0.0.1", server.server_port, "/image"), context, ["md5"])

    assert str(caught.value) == f"{server.origin}{message}"
    assert time.monotonic() - began < 4
    assert len(server.requests) == 1


def test_a_slow_source_is_let_be_where_any_rate_is_allowed(
    server: SourceServer, context: FakeContext, configure: Any
) -> None:
    configure(IMPORT_READ_TIMEOUT=0.5, IMPORT_MIN_RATE=0)

    def slowly(request: Any) -> None:
        begin(request, length=20)
        for _ in range(20):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)

    server.answers = [slowly]

    source = Source("http", "127.0.0.1", server.server_port, "/image")
    assert download(source, context, ["md5"]).size == 20


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        ("in an hour", 3600),
        ("99999999999", 86_400),
        ("-5", 0),
        (http_date(0), 0),
        ("soon", None),
        ("", None),
    ],
)
def test_a_source_that_asks_for_time_is_given_it(
    server: SourceServer, context: FakeContext, retry_after: str, seconds: int | None
) -> None:
    if retry_after == "in an hour":  # as a date, which is no constant
        retry_after = http_date(time.time() + 3600)
    server.answers = [answer(status=503, Retry_After=retry_after)]

    with pytest.raises(AttemptFailed, match=r"^Source answered 503 Service Unavailable$") as caught:
        download(Source("http", "127.0.0.1", server.server_port, "/image"), context, ["md5"])

    after = caught.value.after
    assert (after is None) == (seconds is None)
    assert after is None or abs(after - timedelta(seconds=seconds or 0)) < timedelta(seconds=60)


@pytest.mark.django_db
def test_the_next_attempt_waits_as_long_as_the_source_asked(
    server: SourceServer, configure: Any, tmp_path: Path
) -> None:
    configure(ENGINE="tests.engine.workload", SCRATCH_DIR=tmp_path / "scratch")
    server.answers = [answer(status=429, Retry_After="300")]
    task = create_task("import", {"import_from": server.url()}, owner="1")

    executor.run(task.pk)

    task.refresh_from_db()
    assert task.status == "pending"
    wait = (task.available_at - timezone.now()).total_seconds()
    assert 280 < wait <= 300


def test_a_cancelled_download_raises_the_reason(server: SourceServer, context: FakeContext) -> None:
    def cancelled(done: int, total: int | None = None) -> None:
        raise TaskCancelled("Cancelled")

    context.progress = cancelled  # type: ignore[method-assign]
    server.answers = [answer(IMAGE)]

    with pytest.raises(TaskCancelled):
        download(Source("http", "127.0.0.1", server.server_port, "/image"), context, ["md5"])
