"""The header of an HTTP response, which is refused if it can be understood in two ways."""

from __future__ import annotations

import io
import re
from http.client import (
    BadStatusLine,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    LineTooLong,
    UnknownProtocol,
    parse_headers,
)

from urllib3.exceptions import HeaderParsingError
from urllib3.util.response import assert_header_parsing

from django_image_tasks.exceptions import TaskFailed

MAX_INTERIM = 10
"""Responses with a status of 1xx that may come before the one that counts (RFC 9110, 15.2)."""
LENGTH = re.compile(r"[0-9]{1,18}")


class StrictResponse(HTTPResponse):
    """An HTTP/1 response whose header leaves no doubt about where the body ends."""

    def begin(self) -> None:
        """Read the header; raises TaskFailed if it is refused, OSError if the connection breaks."""
        self.fp = lines = HeaderLines(self.fp.detach())
        try:
            super().begin()
            assert_header_parsing(self.headers)
        except (BadStatusLine, UnknownProtocol):
            raise TaskFailed("Source does not speak HTTP/1.1") from None
        except LineTooLong:
            raise TaskFailed("Source sent a header line of more than 64 KiB") from None
        except HTTPException:
            raise TaskFailed("Source sent more than 100 header lines") from None
        except HeaderParsingError:
            raise TaskFailed("Source sent a header that cannot be read") from None
        _check_length(self.headers)
        lines.in_header = False

    def _read_status(self) -> tuple[str, int, str]:
        # http.client skips no interim response but a 100, and of these any number.
        for _ in range(MAX_INTERIM + 1):
            if not b"HTTP/".startswith(self.fp.peek(5)[:5]):
                raise BadStatusLine("")
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status >= 200 or status == 101:
                return version, status, reason
            parse_headers(self.fp)
        raise TaskFailed(f"Source sent more than {MAX_INTERIM} interim answers")


class HeaderLines(io.BufferedReader):
    """A connection's stream, in whose header a line without an end is an error."""

    in_header = True

    def readline(self, size: int | None = -1) -> bytes:
        """Read a line; raises ConnectionResetError for one that http.client would take as whole."""
        line = super().readline(size)
        if self.in_header and not line.endswith(b"\n") and len(line) != size:
            raise ConnectionResetError("The header is cut short")
        return line


def _check_length(headers: HTTPMessage) -> None:
    """Refuse a header by which two programs may find different ends of the body (RFC 9112, 6.3)."""
    lengths = {each.strip() for each in headers.get_all("Content-Length", [])}
    codings = [each.strip().lower() for each in headers.get_all("Transfer-Encoding", [])]
    if codings not in ([], ["chunked"]):
        raise TaskFailed("Source sent a Transfer-Encoding other than chunked")
    if codings and lengths:
        raise TaskFailed("Source sent both a Content-Length and a Transfer-Encoding")
    if len(lengths) > 1:
        raise TaskFailed("Source sent two different Content-Lengths")
    if not all(LENGTH.fullmatch(each) for each in lengths):
        raise TaskFailed("Source sent a Content-Length that is no number")
