"""An attempt that goes on with the file of the one before it, from a real server."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from django_image_tasks.exceptions import AttemptFailed, HandedOver, TaskFailed
from django_image_tasks.handlers.base import Kept
from django_image_tasks.handlers.image_import import source
from tests.handlers.fakes import Answer, FakeContext, SourceServer, answer, begin, ranged, redirect
from tests.requirements import needs

needs("requests_hardened")

from django_image_tasks.handlers.image_import import download as module  # noqa: E402
from django_image_tasks.handlers.image_import import partial_file  # noqa: E402
from django_image_tasks.handlers.image_import.download import Download, download  # noqa: E402

IMAGE = bytes(range(256)) * 12_288  # 3 MiB
HALF = len(IMAGE) // 2
REST = f"bytes {HALF}-{len(IMAGE) - 1}/{len(IMAGE)}"
OLD = "Wed, 21 Oct 2015 07:28:00 GMT"
Fetch = Callable[[FakeContext], Download]


@pytest.fixture(autouse=True)
def _quick_resumptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAY", 0.001)


@pytest.fixture
def fetch(server: SourceServer) -> Fetch:
    def fetch(context: FakeContext) -> Download:
        return download(source.parse(server.url()), context, ["md5"])

    return fetch


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[..., FakeContext]:
    def make(kept: Kept | None = None) -> FakeContext:
        number = len(list(tmp_path.glob("attempt-*"))) + 1
        scratch = tmp_path / f"attempt-{number}"
        scratch.mkdir()
        context = FakeContext(scratch, {}, number)
        context.kept = kept
        return context

    return make


Interrupt = Callable[..., Kept]


@pytest.fixture
def interrupt(server: SourceServer, fetch: Fetch, make_context: Any) -> Interrupt:
    """What an attempt keeps that is handed over once half of the image has arrived."""

    def interrupt(first: Answer | None = None, image: bytes = IMAGE) -> Kept:
        server.answers = [first or ranged(image, sent=HALF)]
        context = make_context()

        def progress(done: int, total: int | None = None) -> None:
            if done >= HALF:
                raise HandedOver("The worker was told to stop")

        context.progress = progress
        with pytest.raises(HandedOver):
            fetch(context)
        server.requests.clear()
        return Kept(context.states[-1], context.scratch)

    return interrupt


def assert_is_image(arrived: Download, image: bytes = IMAGE) -> None:
    assert arrived.path.read_bytes() == image
    assert arrived.size == len(image)
    assert arrived.digests == {"md5": hashlib.md5(image).hexdigest()}


def asked(server: SourceServer) -> list[tuple[str | None, str | None]]:
    return [(headers.get("Range"), headers.get("If-Range")) for _, headers in server.requests]


# It goes on


def test_it_asks_for_the_rest_alone(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    kept = interrupt()
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [(f"bytes={HALF}-", '"v1"')]


def test_it_goes_on_by_date(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    kept = interrupt(answer(IMAGE, sent=HALF, Last_Modified=OLD))
    server.answers = [answer(IMAGE[HALF:], 206, Content_Range=REST)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [(f"bytes={HALF}-", OLD)]


def test_what_it_took_over_counts_as_progress(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    context = make_context(interrupt())
    server.answers = [ranged(IMAGE)]

    fetch(context)

    assert context.reports == sorted(context.reports)
    assert (HALF, len(IMAGE)) in context.reports
    assert context.reports[-1] == (len(IMAGE), len(IMAGE))


def test_its_own_state_serves_a_third_attempt(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    second = make_context(interrupt())
    server.answers = [ranged(IMAGE, sent=1000), answer(status=404)]
    with pytest.raises(TaskFailed):
        fetch(second)
    server.requests.clear()
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(Kept(second.states[-1], second.scratch))))

    assert asked(server) == [(f"bytes={HALF + 1000}-", '"v1"')]


def test_the_state_before_its_own_serves_as_well(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    """A worker that is killed before its first state is written loses nothing either."""
    kept = interrupt()
    server.answers = [ranged(IMAGE, sent=1000), answer(status=404)]
    with pytest.raises(TaskFailed):
        fetch(make_context(kept))
    server.requests.clear()
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [(f"bytes={HALF + 1000}-", '"v1"')]


def test_a_whole_file_is_not_asked_for_again(
    server: SourceServer, fetch: Fetch, make_context: Any
) -> None:
    server.answers = [answer(IMAGE, ETag='"v1"')]
    first = make_context()
    fetch(first)
    server.requests.clear()

    assert_is_image(fetch(make_context(Kept(first.states[-1], first.scratch))))

    assert server.requests == []


def test_a_broken_connection_costs_nothing_either(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    kept = interrupt()
    server.answers = [answer(status=503), ranged(IMAGE, sent=1000), ranged(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [
        (f"bytes={HALF}-", '"v1"'),
        (f"bytes={HALF}-", '"v1"'),
        (f"bytes={HALF + 1000}-", '"v1"'),
    ]


# It begins anew


SECOND = os.urandom(HALF + 1000)
SHORT = b"short"


@pytest.mark.parametrize(
    ("second", "image"),
    [
        pytest.param([ranged(SECOND, etag='"v2"')], SECOND, id="other-etag"),
        pytest.param([answer(IMAGE, ETag='"v1"')], IMAGE, id="range-ignored"),
        pytest.param([answer(SHORT, ETag='"v2"')], SHORT, id="shorter-than-what-was-kept"),
        pytest.param([answer(SHORT)], SHORT, id="shorter-and-unnamed"),
        pytest.param([answer(status=416), answer(SECOND)], SECOND, id="416"),
        pytest.param([ranged(SECOND), answer(SECOND)], SECOND, id="other-length"),
        pytest.param(
            [answer(IMAGE, 206, ETag='"v1"', Content_Range=f"bytes 0-{len(IMAGE) - 1}/*")] * 1
            + [answer(IMAGE)],
            IMAGE,
            id="from-the-start",
        ),
        pytest.param(
            [
                answer(
                    IMAGE[HALF:],
                    206,
                    ETag='"v1"',
                    Content_Range=REST,
                    Content_Type="Multipart/byteranges; boundary=x",
                ),
                answer(IMAGE),
            ],
            IMAGE,
            id="multipart",
        ),
        pytest.param(
            [answer(IMAGE[HALF:], 206, Content_Range=REST), answer(IMAGE)], IMAGE, id="no-etag"
        ),
        pytest.param(
            [answer(IMAGE[HALF:], 206, ETag='"v2"', Content_Range=REST), answer(IMAGE)],
            IMAGE,
            id="206-with-other-etag",
        ),
    ],
)
def test_it_begins_anew_where_the_source_is_another(
    server: SourceServer,
    fetch: Fetch,
    interrupt: Interrupt,
    make_context: Any,
    second: list[Answer],
    image: bytes,
) -> None:
    kept = interrupt()
    server.answers = second
    context = make_context(kept)

    assert_is_image(fetch(context), image)

    [*earlier, last] = asked(server)
    assert [*earlier, last][0] == (f"bytes={HALF}-", '"v1"')
    assert earlier == [] or last == (None, None)
    # Neither in its own directory nor in the other's is anything left of what was kept.
    assert [path.name for path in context.scratch.iterdir()] == ["image-2"]
    assert list(kept.scratch.iterdir()) == []  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 7},
        {"number": "../../image-1"},
        {"boot": "another", "flushed": 0},
        {"boot": None, "flushed": 0},
        {"validator": None},
        {"flushed": None, "boot": "another"},
    ],
)
def test_it_begins_anew_where_the_state_is_of_no_use(
    server: SourceServer,
    fetch: Fetch,
    interrupt: Interrupt,
    make_context: Any,
    changed: Mapping[str, Any],
) -> None:
    kept = interrupt()
    server.answers = [ranged(IMAGE)]
    context = make_context(Kept({**kept.state, **changed}, kept.scratch))

    assert_is_image(fetch(context))

    assert asked(server) == [(None, None)]
    assert (HALF, None) not in context.reports


def test_it_begins_anew_where_nothing_tells_of_a_reboot(
    server: SourceServer,
    fetch: Fetch,
    interrupt: Interrupt,
    make_context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partial_file, "boot", lambda: None)
    kept = interrupt()
    assert kept.state["boot"] is None
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [(None, None)]


def test_the_name_of_a_boot_is_the_kernels() -> None:
    if not partial_file.BOOT_ID.exists():
        pytest.skip("Needs Linux.")
    assert partial_file.boot() == partial_file.BOOT_ID.read_text().strip()


@pytest.mark.parametrize("state", [{}, {"page": 3}])
def test_it_begins_anew_with_the_state_of_a_subclass(
    server: SourceServer, fetch: Fetch, make_context: Any, tmp_path: Path, state: Any
) -> None:
    server.answers = [ranged(IMAGE)]
    assert_is_image(fetch(make_context(Kept(state, tmp_path))))


def test_it_begins_anew_on_another_machine(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    kept = interrupt()
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(Kept(kept.state, None))))

    assert asked(server) == [(None, None)]


def test_it_begins_anew_where_files_cannot_have_two_names(
    server: SourceServer,
    fetch: Fetch,
    interrupt: Interrupt,
    make_context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def link(*args: object) -> None:
        raise PermissionError("Operation not permitted")

    kept = interrupt()
    monkeypatch.setattr(os, "link", link)
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [(None, None)]


def test_a_state_never_names_what_a_second_answer_wrote(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    """Killed in the answer of one server, and then answered by the first again.

    Behind one name there may be two servers with two images. What is kept is not mixed.
    """
    kept = interrupt()
    server.answers = [ranged(bytes(len(IMAGE)), sent=HALF, etag='"v2"'), answer(status=404)]
    with pytest.raises(TaskFailed):
        fetch(make_context(kept))
    server.requests.clear()
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [(None, None)]


# A machine that went down


def flushed(fetch: Fetch, server: SourceServer, context: FakeContext, size: int) -> Kept:
    """What is kept of an image of which this much is flushed before the source falls silent."""
    is_flushed = threading.Event()
    fsync, sizes = os.fsync, []

    def note(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        fsync(descriptor)
        is_flushed.set()

    def act(request: BaseHTTPRequestHandler) -> None:
        begin(request, length=len(IMAGE), ETag='"v1"')
        request.wfile.write(IMAGE[:size])
        is_flushed.wait(5)
        partial_file.FLUSH_INTERVAL = 3600
        request.wfile.write(IMAGE[size : size + 1000])

    server.answers = [act, answer(status=404)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial_file, "FLUSH_INTERVAL", 0)
        patch.setattr(os, "fsync", note)
        with pytest.raises(TaskFailed):
            fetch(context)
    server.requests.clear()
    assert context.states[-1]["flushed"] in sizes
    return Kept(context.states[-1], context.scratch)


def test_after_a_reboot_what_was_flushed_counts(
    server: SourceServer, fetch: Fetch, make_context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = flushed(fetch, server, make_context(), 3000)
    assert 0 < kept.state["flushed"] <= 3000
    assert os.path.getsize(kept.scratch / "image-1") == 4000  # type: ignore[operator]
    monkeypatch.setattr(partial_file, "boot", lambda: "another")
    server.answers = [ranged(IMAGE)]
    context = make_context(kept)

    assert_is_image(fetch(context))

    assert asked(server) == [(f"bytes={kept.state['flushed']}-", '"v1"')]
    assert context.states[0]["boot"] == "another"
    assert context.states[0]["flushed"] == kept.state["flushed"]


def test_a_file_that_lost_more_than_that_is_not_filled_up(
    server: SourceServer, fetch: Fetch, make_context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = flushed(fetch, server, make_context(), 3000)
    os.truncate(kept.scratch / "image-1", 10)  # type: ignore[operator]
    monkeypatch.setattr(partial_file, "boot", lambda: "another")
    server.answers = [ranged(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [("bytes=10-", '"v1"')]


def test_a_flush_that_failed_is_not_followed_by_one_that_seems_to_succeed(
    server: SourceServer, fetch: Fetch, make_context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(partial_file, "FLUSH_INTERVAL", 0)
    monkeypatch.setattr(os, "fsync", fsync)
    server.answers = [ranged(IMAGE)]
    context = make_context()

    assert_is_image(fetch(context))

    assert len(calls) == 1
    assert {state["flushed"] for state in context.states} == {0}


def test_a_quick_import_waits_for_no_disk(
    server: SourceServer, fetch: Fetch, make_context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", None)
    server.answers = [ranged(IMAGE)]
    context = make_context()

    assert_is_image(fetch(context))

    assert len(context.states) == 1


# A source that wants to gain something


def test_the_limit_holds_over_both_parts(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any, configure: Any
) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        begin(request, 206, ETag='"v1"', Content_Range=f"bytes {HALF}-{HALF}/*")
        for _ in range(64):
            request.wfile.write(IMAGE)

    kept = interrupt()
    configure(IMPORT_MAX_SIZE=len(IMAGE))
    server.answers = [endless]
    context = make_context(Kept({**kept.state, "total": None}, kept.scratch))

    with pytest.raises(TaskFailed, match=r"^Larger than the limit of 3 MiB$"):
        fetch(context)

    assert os.path.getsize(context.scratch / "image-1") <= len(IMAGE)


def test_a_limit_that_was_lowered_holds_for_what_was_kept(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any, configure: Any
) -> None:
    kept = interrupt()
    configure(IMPORT_MAX_SIZE=HALF - 1)

    with pytest.raises(TaskFailed, match=r"^Larger than the limit"):
        fetch(make_context(kept))

    assert server.requests == []


def test_a_rest_that_is_longer_than_it_said_is_not_taken(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    def longer(request: BaseHTTPRequestHandler) -> None:
        begin(request, 206, ETag='"v1"', Content_Range=REST)
        request.wfile.write(IMAGE[HALF:] + b"more")

    kept = interrupt()
    server.answers = [longer, answer(IMAGE)]

    assert_is_image(fetch(make_context(kept)))

    assert asked(server) == [(f"bytes={HALF}-", '"v1"'), (None, None)]


def test_a_rest_that_is_compressed_is_refused(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    kept = interrupt()
    server.answers = [
        answer(IMAGE[HALF:], 206, ETag='"v1"', Content_Range=REST, Content_Encoding="gzip")
    ]
    with pytest.raises(TaskFailed, match=r"^Source sent a Content-Encoding"):
        fetch(make_context(kept))


def test_a_redirect_of_the_second_request_is_checked_like_one_of_the_first(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    kept = interrupt()
    server.answers = [redirect("http://169.254.169.254/latest/meta-data")]
    with pytest.raises(TaskFailed, match=r"which is not allowed$"):
        fetch(make_context(kept))


def test_a_source_that_is_trusted_no_more_is_not_asked_for_the_rest(
    server: SourceServer, interrupt: Interrupt, make_context: Any, configure: Any
) -> None:
    kept, place = interrupt(), source.parse(server.url())
    configure(IMPORT_TRUSTED_HOSTS=[])

    with pytest.raises(TaskFailed, match=r"leads to an address that is not public$"):
        download(place, make_context(kept), ["md5"])

    assert server.requests == []


def test_an_endless_etag_costs_the_resumption_and_not_the_task(
    server: SourceServer, fetch: Fetch, make_context: Any
) -> None:
    server.answers = [answer(IMAGE, ETag=f'"{"v" * 9000}"')]
    context = make_context()

    assert_is_image(fetch(context))

    assert context.states == []


def test_a_source_that_never_gives_the_rest_is_given_up(
    server: SourceServer, fetch: Fetch, interrupt: Interrupt, make_context: Any
) -> None:
    kept = interrupt()
    server.answers = [answer(b"", 206, ETag='"v1"', Content_Range=REST)]

    with pytest.raises(AttemptFailed, match=f"sent {HALF} of {len(IMAGE)} bytes$"):
        fetch(make_context(kept))

    assert len(server.requests) == module.RESUMPTIONS
