"""The response to one GET: its redirects followed, its errors put in the words of the task."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import responses
from urllib.parse import urljoin

from django.utils import timezone
from requests import RequestException, Response
from requests.exceptions import ReadTimeout
from requests.utils import requote_uri
from urllib3.exceptions import HTTPError, ReadTimeoutError

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import AttemptFailed, InvalidInput, TaskFailed
from django_image_tasks.handlers.image_import.connection import Session
from django_image_tasks.handlers.image_import.source import Source, parse
from django_image_tasks.log_lines import line
from django_image_tasks.redaction import redact

logger = logging.getLogger(__name__)

CHUNK = 2**20


@contextmanager
def get(
    session: Session, source: Source, headers: Mapping[str, str], report: Callable[[], None]
) -> Iterator[Response]:
    """The response to a GET: a 200, or a 206 or 416 if ``headers`` ask for a range.

    ``report`` is called before each request. Raises TaskFailed for any other response, and
    AttemptFailed for a fault that may pass: of the connection or, inside the block, of the body.
    """
    for _ in range(conf.IMPORT_MAX_REDIRECTS + 1):
        report()
        with _translated(source), _answer(session, source, headers) as response:
            status = response.status_code
            logger.debug(line("source_answered", origin=source.origin, status=status))
            if not response.is_redirect:
                _check_status(response, ranged="Range" in headers)
                yield response
                return
        source = _redirected(source, response.headers["Location"])
    raise TaskFailed(f"More than {conf.IMPORT_MAX_REDIRECTS} redirects")


def _answer(session: Session, source: Source, headers: Mapping[str, str]) -> Response:
    seconds = conf.IMPORT_CONNECT_TIMEOUT + conf.IMPORT_READ_TIMEOUT
    with session.guard.answering_within(seconds, source.origin):
        response: Response = session.get(source.url, headers=headers, stream=True)
        return response


def chunks(response: Response) -> Iterator[bytes]:
    """The body's bytes as they arrive, at most 1 MiB at a time.

    Raises TaskFailed if the source compressed it.
    """
    encodings = response.headers.get("Content-Encoding", "").lower().split(",")
    if any(each.strip() not in ("", "identity") for each in encodings):
        raise TaskFailed("Source sent a Content-Encoding, although identity was asked for")
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        yield chunk


def _check_status(response: Response, ranged: bool) -> None:
    status = response.status_code
    if status == 200 or (ranged and status in (206, 416)):
        return
    message = f"Source answered {status} {responses.get(status, '')}".rstrip()
    if status >= 500 or status in (408, 425, 429):
        raise AttemptFailed(message, after=_retry_after(response.headers.get("Retry-After", "")))
    raise TaskFailed(message)


def _retry_after(value: str) -> timedelta | None:
    """The wait that a source asks for, up to a day: seconds or a date (RFC 9110, 10.2.3)."""
    try:
        wait = timedelta(seconds=int(value[:9]))
    except ValueError:
        try:
            wait = parsedate_to_datetime(value) - timezone.now()
        except (ValueError, TypeError, OverflowError):  # none, or a date without a zone
            return None
    return min(max(wait, timedelta()), timedelta(days=1))


def _redirected(source: Source, location: str) -> Source:
    # http.client decodes headers as Latin-1; servers send UTF-8.
    target = location.encode("latin-1").decode("utf-8", "replace")
    try:
        target = requote_uri(urljoin(source.url, target))
        return parse(target)
    except (InvalidInput, ValueError):
        shown = redact(target)
        raise TaskFailed(f"{source.origin} redirects to {shown}, which is not allowed") from None


@contextmanager
def _translated(source: Source) -> Iterator[None]:
    """Raise the libraries' errors as AttemptFailed, without their text: it holds the whole URL."""
    try:
        yield
    except (ReadTimeout, ReadTimeoutError):
        seconds = f"{conf.IMPORT_READ_TIMEOUT:g} s"
        raise AttemptFailed(f"{source.origin} was silent for {seconds}") from None
    except (RequestException, HTTPError):
        raise AttemptFailed(f"Connection to {source.origin} broke off") from None
