"""The header of a source's answer, read strictly: what can be read in two ways is refused."""

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

MOST_INTERIM_ANSWERS = 10
LENGTH = re.compile(r"[0-9]{1,18}")


class StrictResponse(HTTPResponse):
    """An answer of HTTP/1, after the interim ones that may come before it.

    Raises :exc:`~django_image_tasks.exceptions.TaskFailed` for what the source itself does wrong,
    and an :exc:`OSError` where the connection breaks.
    """

    def begin(self) -> None:
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
        # http.client itself skips 100 alone, and that for ever.
        for _ in range(MOST_INTERIM_ANSWERS + 1):
            version, status, reason = self._read_status_line()
            if status >= 200 or status == 101:
                return version, status, reason
            parse_headers(self.fp)
        raise TaskFailed(f"Source sent more than {MOST_INTERIM_ANSWERS} interim answers")

    def _read_status_line(self) -> tuple[str, int, str]:
        if not b"HTTP/".startswith(self.fp.peek(5)[:5]):
            raise BadStatusLine("")
        return super()._read_status()  # type: ignore[misc,no-any-return]


class HeaderLines(io.BufferedReader):
    """Takes a header's line that is cut short for what it is, the end of the connection."""

    in_header = True

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if self.in_header and not line.endswith(b"\n") and len(line) != size:
            raise ConnectionResetError("The header is cut short")
        return line


def _check_length(headers: HTTPMessage) -> None:
    """Refuse what leaves a doubt about where the body ends."""
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
