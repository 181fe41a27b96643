"""Downloads from a real server on the loopback interface, behaving and misbehaving."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.utils import timezone

from django_image_tasks.exceptions import AttemptFailed, TaskCancelled, TaskFailed
from django_image_tasks.handlers.image_import import source
from tests.handlers.fakes import (
    FakeContext,
    SourceServer,
    answer,
    begin,
    ranged,
    redirect,
)
from tests.requirements import needs

needs("requests_hardened")

from django_image_tasks.handlers.image_import import download as module  # noqa: E402
from django_image_tasks.handlers.image_import.download import Download, download  # noqa: E402

IMAGE = bytes(range(256)) * 4096  # 1 MiB
OLD = "Wed, 21 Oct 2015 07:28:00 GMT"
Configure = Callable[..., None]


@pytest.fixture(autouse=True)
def _quick_resumptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAY", 0.001)


@pytest.fixture
def fetch(server: SourceServer, context: FakeContext) -> Callable[..., Download]:
    def fetch(path: str = "/image", algorithms: tuple[str, ...] = ("md5",)) -> Download:
        return download(source.parse(server.url(path)), context, algorithms)

    return fetch


Fetch = Callable[..., Download]


def content(arrived: Download) -> bytes:
    return arrived.path.read_bytes()


def asked_ranges(server: SourceServer) -> list[str | None]:
    return [headers.get("Range") for _, headers in server.requests]


# A transfer that goes well


def test_file_size_and_digests(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [answer(IMAGE)]
    arrived = fetch(algorithms=("md5", "sha512"))
    assert content(arrived) == IMAGE
    assert arrived.size == len(IMAGE)
    assert arrived.digests == {
        "md5": hashlib.md5(IMAGE).hexdigest(),
        "sha512": hashlib.sha512(IMAGE).hexdigest(),
    }


def test_progress_is_reported_up_to_the_whole(
    server: SourceServer, fetch: Fetch, context: FakeContext
) -> None:
    server.answers = [answer(IMAGE)]
    fetch()
    assert context.reports == sorted(context.reports)
    assert len(context.reports) > 1
    assert context.reports[-1] == (len(IMAGE), len(IMAGE))


def test_interruption_passes(server: SourceServer, fetch: Fetch, context: FakeContext) -> None:
    def cancelled(done: int, total: int | None = None) -> None:
        raise TaskCancelled("Cancelled by ada")

    context.progress = cancelled  # type: ignore[method-assign]
    server.answers = [answer(IMAGE)]
    with pytest.raises(TaskCancelled):
        fetch()


def test_body_without_a_length(server: SourceServer, fetch: Fetch) -> None:
    def act(request: BaseHTTPRequestHandler) -> None:
        begin(request)
        request.wfile.write(IMAGE)

    server.answers = [act]
    assert content(fetch()) == IMAGE


@pytest.mark.parametrize("encoding", ["gzip", "X-GZIP", "br", "identity, gzip", "none"])
def test_content_encoding_that_was_not_asked_for(
    server: SourceServer, fetch: Fetch, context: FakeContext, encoding: str
) -> None:
    server.answers = [answer(gzip.compress(IMAGE), Content_Encoding=encoding)]
    with pytest.raises(TaskFailed) as caught:
        fetch()
    assert server.requests[0][1]["Accept-Encoding"] == "identity"
    assert str(caught.value) == ("Source sent a Content-Encoding, although identity was asked for")
    assert os.path.getsize(context.scratch / "image-1") == 0


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", "identity, identity"])
def test_content_encoding_that_is_none(server: SourceServer, fetch: Fetch, encoding: str) -> None:
    server.answers = [answer(IMAGE, Content_Encoding=encoding)]
    assert content(fetch()) == IMAGE


def test_encoded_page_of_an_error_is_the_error(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [answer(gzip.compress(b"no"), 404, Content_Encoding="gzip")]
    with pytest.raises(TaskFailed, match=r"^Source answered 404 Not Found$"):
        fetch()


def test_environment_is_ignored(
    server: SourceServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.answers = [answer(IMAGE)]
    assert fetch().size == len(IMAGE)
    assert server.requests[0][1]["Authorization"] is None


def test_query_is_sent_and_never_logged(
    server: SourceServer, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [answer(IMAGE)]
    fetch("/image?signature=s3cret%2F")
    assert server.requests[0][0] == "/image?signature=s3cret%2F"
    assert f"source_answered origin={server.origin} status=200" in caplog.text
    assert "s3cret" not in caplog.text


# Transfers that break off


def test_broken_transfer_goes_on_where_it_broke(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [ranged(IMAGE, sent=300_000), ranged(IMAGE, sent=300_000), ranged(IMAGE)]
    arrived = fetch()
    assert content(arrived) == IMAGE
    assert arrived.digests == {"md5": hashlib.md5(IMAGE).hexdigest()}
    assert asked_ranges(server) == [None, "bytes=300000-", "bytes=600000-"]
    assert server.requests[1][1]["If-Range"] == '"v1"'


def test_broken_transfer_goes_on_by_date(server: SourceServer, fetch: Fetch) -> None:
    rest = answer(IMAGE[1000:], 206, Content_Range=f"bytes 1000-{len(IMAGE) - 1}/{len(IMAGE)}")
    server.answers = [answer(IMAGE, sent=1000, Last_Modified=OLD), rest]
    assert content(fetch()) == IMAGE
    assert server.requests[1][1]["If-Range"] == OLD


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"ETag": 'W/"v1"'}, id="weak-etag"),
        pytest.param({"ETag": 'W/"v1"', "Last_Modified": OLD}, id="weak-etag-and-date"),
        pytest.param({"ETag": "v1"}, id="unquoted-etag"),
        pytest.param({"ETag": f'"{"v" * 1001}"'}, id="endless-etag"),
        pytest.param({"Last_Modified": "2015-10-21T07:28:00Z"}, id="no-date"),
        pytest.param({"Last_Modified": "Wed, 21 Oct 2015 07:28:00 +0000"}, id="no-date-of-http"),
    ],
)
def test_what_does_not_tell_one_image_from_another_is_not_relied_on(
    server: SourceServer, fetch: Fetch, headers: dict[str, str]
) -> None:
    server.answers = [answer(bytes(len(IMAGE)), sent=1000, **headers), answer(IMAGE)]
    assert content(fetch()) == IMAGE
    assert asked_ranges(server) == [None, None]


@pytest.mark.parametrize(("seconds", "is_relied_on"), [(55, False), (65, True)])
def test_a_date_is_relied_on_once_it_is_a_minute_old(
    server: SourceServer, fetch: Fetch, seconds: int, is_relied_on: bool
) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=seconds), usegmt=True)
    server.answers = [answer(IMAGE, sent=1000, Last_Modified=date), answer(IMAGE)]
    assert content(fetch()) == IMAGE
    assert asked_ranges(server) == [None, "bytes=1000-" if is_relied_on else None]


def test_broken_chunked_transfer_goes_on(server: SourceServer, fetch: Fetch) -> None:
    def act(request: BaseHTTPRequestHandler) -> None:
        begin(request, ETag='"v1"', Transfer_Encoding="chunked")
        request.wfile.write(b"3e8\r\n" + IMAGE[:1000] + b"\r\nffff\r\n" + IMAGE[1000:1500])

    server.answers = [act, ranged(IMAGE)]
    assert content(fetch()) == IMAGE
    assert asked_ranges(server) == [None, "bytes=1500-"]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(answer(IMAGE, ETag='"v1"'), id="range-ignored"),
        pytest.param(ranged(IMAGE, etag='"v2"'), id="etag-changed"),
    ],
)
def test_starts_over_when_it_cannot_go_on(server: SourceServer, fetch: Fetch, second: Any) -> None:
    server.answers = [ranged(bytes(len(IMAGE)), sent=1000), second]
    arrived = fetch()
    assert content(arrived) == IMAGE
    assert arrived.digests == {"md5": hashlib.md5(IMAGE).hexdigest()}
    assert asked_ranges(server) == [None, "bytes=1000-"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(
            {"Content_Range": f"bytes 0-{len(IMAGE) - 1}/{len(IMAGE)}", "ETag": '"v1"'},
            id="elsewhere",
        ),
        pytest.param(
            {"Content_Range": f"bytes 1001-{len(IMAGE) - 1}/{len(IMAGE)}", "ETag": '"v1"'},
            id="further-on",
        ),
        pytest.param({"Content_Range": "bytes 1000-1999/2000", "ETag": '"v1"'}, id="other-total"),
        pytest.param({"ETag": '"v1"'}, id="no-range"),
        pytest.param(
            {
                "Content_Range": f"bytes 1000-{len(IMAGE) - 1}/{len(IMAGE)}",
                "Content_Type": "multipart/byteranges; boundary=x",
                "ETag": '"v1"',
            },
            id="multipart",
        ),
        pytest.param({"Content_Range": f"bytes 1000-{len(IMAGE) - 1}/{len(IMAGE)}"}, id="no-etag"),
        pytest.param(
            {
                "Content_Range": f"bytes 1000-{len(IMAGE) - 1}/{len(IMAGE)}",
                "ETag": '"v2"',
            },
            id="other-etag",
        ),
    ],
)
def test_part_that_does_not_fit_is_not_taken(
    server: SourceServer, fetch: Fetch, headers: dict[str, str]
) -> None:
    server.answers = [
        ranged(IMAGE, sent=1000),
        answer(bytes(1000), 206, **headers),
        ranged(IMAGE),
    ]
    assert content(fetch()) == IMAGE
    assert asked_ranges(server) == [None, "bytes=1000-", None]


def test_range_beyond_the_end_starts_over(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [ranged(IMAGE, sent=1000), answer(status=416), ranged(IMAGE)]
    assert content(fetch()) == IMAGE


def test_without_a_validator_it_starts_over(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [answer(IMAGE, sent=1000), answer(IMAGE)]
    assert content(fetch()) == IMAGE
    assert asked_ranges(server) == [None, None]


def test_shorter_image_leaves_nothing_of_the_longer_one(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [ranged(IMAGE, sent=1000), answer(b"short", ETag='"v2"')]
    arrived = fetch()
    assert content(arrived) == b"short"
    assert arrived.size == 5
    assert arrived.digests["md5"] == hashlib.md5(b"short").hexdigest()


def test_length_that_is_never_reached(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [answer(IMAGE, length=len(IMAGE) + 1)]
    with pytest.raises(AttemptFailed) as caught:
        fetch()
    assert str(caught.value) == f"Connection to {server.origin} broke off"
    assert len(server.requests) == 1 + module.RESUMPTIONS


def test_part_that_ends_too_early(server: SourceServer, fetch: Fetch) -> None:
    def part(request: BaseHTTPRequestHandler) -> None:
        place = f"bytes 1000-{len(IMAGE) - 1}/{len(IMAGE)}"
        begin(request, 206, Content_Range=place, ETag='"v1"', Transfer_Encoding="chunked")
        request.wfile.write(b"1\r\n" + IMAGE[1000:1001] + b"\r\n0\r\n\r\n")

    server.answers = [ranged(IMAGE, sent=1000), part, ranged(IMAGE)]
    assert content(fetch()) == IMAGE
    assert asked_ranges(server) == [None, "bytes=1000-", "bytes=1001-"]


def test_fault_before_the_first_byte_is_the_executors_to_retry(
    server: SourceServer, fetch: Fetch
) -> None:
    server.answers = [answer(status=503)]
    with pytest.raises(AttemptFailed) as caught:
        fetch()
    assert str(caught.value) == "Source answered 503 Service Unavailable"
    assert len(server.requests) == 1


def test_source_that_asks_for_long_in_the_middle_is_the_executors_to_wait_for(
    server: SourceServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_image_tasks.handlers.image_import.download.LONGEST_PAUSE", 0.5)
    server.answers = [ranged(IMAGE, sent=1000), answer(status=503, Retry_After="1")]
    with pytest.raises(AttemptFailed):
        fetch()
    assert len(server.requests) == 2


def test_source_gone_in_the_middle_fails(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [ranged(IMAGE, sent=1000), answer(status=410)]
    with pytest.raises(TaskFailed) as caught:
        fetch()
    assert str(caught.value) == "Source answered 410 Gone"


def test_scratch_directory_that_fails(
    server: SourceServer, fetch: Fetch, context: FakeContext
) -> None:
    context.scratch.rmdir()
    with pytest.raises(AttemptFailed) as caught:
        fetch()
    assert str(caught.value) == "The scratch directory failed: No such file or directory"


# Responses that are refused


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (404, TaskFailed, "Source answered 404 Not Found"),
        (403, TaskFailed, "Source answered 403 Forbidden"),
        (206, TaskFailed, "Source answered 206 Partial Content"),
        (304, TaskFailed, "Source answered 304 Not Modified"),
        (408, AttemptFailed, "Source answered 408 Request Timeout"),
        (429, AttemptFailed, "Source answered 429 Too Many Requests"),
        (500, AttemptFailed, "Source answered 500 Internal Server Error"),
        (599, AttemptFailed, "Source answered 599"),
    ],
)
def test_status(
    server: SourceServer, fetch: Fetch, status: int, error: type[Exception], message: str
) -> None:
    server.answers = [answer(status=status)]
    with pytest.raises(error) as caught:
        fetch("/image?signature=secret")
    assert type(caught.value) is error
    assert str(caught.value) == message


def test_empty_body(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [answer(b"")]
    with pytest.raises(TaskFailed) as caught:
        fetch()
    assert str(caught.value) == "Source answered with an empty body"


# Limits


def test_length_over_the_limit_is_refused_at_once(
    server: SourceServer, fetch: Fetch, configure: Configure, context: FakeContext
) -> None:
    configure(IMPORT_MAX_SIZE=10 * 2**30)
    server.answers = [answer(IMAGE, length=10 * 2**30 + 1)]
    with pytest.raises(TaskFailed) as caught:
        fetch()
    assert str(caught.value) == "Larger than the limit of 10 GiB"
    assert os.path.getsize(context.scratch / "image-1") == 0


def test_limit_holds_without_a_length(
    server: SourceServer, fetch: Fetch, configure: Configure, context: FakeContext
) -> None:
    def large(request: BaseHTTPRequestHandler) -> None:
        begin(request)
        for _ in range(64):  # not without end: an import that has lost its limit fills the disk
            request.wfile.write(IMAGE)

    configure(IMPORT_MAX_SIZE=3 * 2**20)
    server.answers = [large]
    with pytest.raises(TaskFailed) as caught:
        fetch()
    assert str(caught.value) == "Larger than the limit of 3 MiB"
    assert os.path.getsize(context.scratch / "image-1") <= 3 * 2**20


def test_image_of_exactly_the_limit(
    server: SourceServer, fetch: Fetch, configure: Configure
) -> None:
    configure(IMPORT_MAX_SIZE=len(IMAGE))
    server.answers = [answer(IMAGE)]
    assert fetch().size == len(IMAGE)


def test_silence(server: SourceServer, fetch: Fetch, configure: Configure) -> None:
    over = threading.Event()

    def silent(request: BaseHTTPRequestHandler) -> None:
        over.wait(5)

    configure(IMPORT_READ_TIMEOUT=0.1)
    server.answers = [silent]
    with pytest.raises(AttemptFailed) as caught:
        fetch()
    over.set()
    assert str(caught.value) == f"{server.origin} was silent for 0.1 s"


@pytest.mark.parametrize("where", ["headers", "body", "chunk-size"])
def test_source_that_drips_is_cut_off(
    server: SourceServer, fetch: Fetch, configure: Configure, where: str
) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        if where == "headers":
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        elif where == "body":
            begin(request)
        else:
            begin(request, Transfer_Encoding="chunked")
            request.wfile.write(b"1;")
        for _ in range(200):
            request.wfile.write(b"x")
            time.sleep(0.02)

    configure(IMPORT_TIMEOUT=0.3)
    server.answers = [drip]
    started = time.monotonic()
    with pytest.raises(AttemptFailed, match=r"^Only [0-9]+ bytes arrived within 0 s$"):
        fetch()
    assert time.monotonic() - started < 2


def test_deadline_of_the_attempt_counts_too(
    server: SourceServer, fetch: Fetch, context: FakeContext
) -> None:
    context.deadline = timezone.now() - timedelta(seconds=1)
    server.answers = [answer(IMAGE)]
    with pytest.raises(AttemptFailed):
        fetch()
    assert context.checks == 1


# Redirects


def test_redirects_are_followed_to_relative_and_other_places(
    server: SourceServer, fetch: Fetch
) -> None:
    server.answers = [redirect("/b?x=1"), redirect(server.url("/c d")), answer(IMAGE)]
    assert content(fetch()) == IMAGE
    assert [path for path, _ in server.requests] == ["/image", "/b?x=1", "/c%20d"]


def test_fifth_redirect_is_the_last(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [redirect("/next")] * 5 + [answer(IMAGE)]
    assert fetch().size == len(IMAGE)


def test_redirect_loop(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [redirect("/image")]
    with pytest.raises(TaskFailed) as caught:
        fetch()
    assert str(caught.value) == "More than 5 redirects"
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("http://169.254.169.254/latest/meta-data?x=secret", "http://169.254.169.254"),
        ("http://localhost:1/", "http://localhost:1"),
        ("http://ada:secret@images.example.org/", "http://images.example.org"),
        ("file:///etc/passwd", "file://"),
        ("ftp://images.example.org/", "ftp://images.example.org"),
        ("//2130706433/", "http://2130706433"),
        ("http://[::1/", "an unreadable address"),
        ("http://ada:secret%40images.example.org/", "an unreadable address"),
        ("ada:secret@images.example.org/", "an unreadable address"),
        ("http://images.example.org:port/", "an unreadable address"),
        ("http://images.example.org:99999/", "http://images.example.org:99999"),
    ],
)
def test_redirect_to_what_is_not_allowed(
    server: SourceServer, fetch: Fetch, location: str, shown: str
) -> None:
    server.answers = [redirect(location)]
    with pytest.raises(TaskFailed) as caught:
        fetch()
    assert str(caught.value) == f"{server.origin} redirects to {shown}, which is not allowed"
    assert len(server.requests) == 1


def test_body_of_a_redirect_is_not_read(server: SourceServer, fetch: Fetch) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        begin(request, 302, Location="/image", Content_Encoding="gzip")
        while True:
            request.wfile.write(gzip.compress(bytes(2**20)))

    server.answers = [endless, answer(IMAGE)]
    assert content(fetch()) == IMAGE


def test_resumption_begins_at_the_original_place(server: SourceServer, fetch: Fetch) -> None:
    server.answers = [
        redirect("/mirror"),
        ranged(IMAGE, sent=1000),
        redirect("/mirror"),
        ranged(IMAGE),
    ]
    assert content(fetch()) == IMAGE
    assert asked_ranges(server) == [None, None, "bytes=1000-", "bytes=1000-"]
