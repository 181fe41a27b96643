"""How the rest of a file is asked for, and told from that of another (RFC 9110, 13.1.5, 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]{0,1000}"')
SETTLED = timedelta(minutes=1)
"""So long before it was sent a file must have been changed, if the date is to tell it from others:
two servers' clocks may differ, and a second has room for two changes."""


def validator_in(headers: Mapping[str, str]) -> str | None:
    """What If-Range may name: a strong ETag or, without any ETag, a date that is strong."""
    if (etag := headers.get("ETag")) is not None:
        return etag if STRONG_ETAG.fullmatch(etag) else None
    modified = headers.get("Last-Modified", "")
    sent_at, modified_at = _date(headers.get("Date", "")), _date(modified)
    is_strong = sent_at and modified_at and sent_at - modified_at >= SETTLED
    return modified if is_strong else None


def headers_for(done: int, validator: str) -> dict[str, str]:
    """Ask for what is behind the first bytes, or for all if it is another file by now."""
    return {"Range": f"bytes={done}-", "If-Range": validator}


def total_of(headers: Mapping[str, str], done: int, validator: str) -> int | None:
    """The size of the whole file whose rest a 206 says to be, behind so many bytes; 0 if unknown.

    ``None`` if it is not that rest.
    """
    match = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    is_multipart = headers.get("Content-Type", "").lower().startswith("multipart/")
    if not match or is_multipart or int(match[1]) != done:
        return None
    # A 206 need not repeat the date, but must repeat the ETag.
    is_etag = validator.startswith('"')
    named = headers.get("ETag") if is_etag else headers.get("Last-Modified", validator)
    if named != validator:
        return None
    return 0 if match[2] == "*" else int(match[2])


def _date(value: str) -> datetime | None:
    """A date as servers must write it. The two older forms are not worth the trouble."""
    try:
        date = parsedate_to_datetime(value)
        return date if format_datetime(date, usegmt=True) == value else None
    except ValueError:
        return None
