"""UUIDs in the spellings that the API reads and writes, and what clients call their requests."""

from __future__ import annotations

import os
import re
import socket
from uuid import UUID, uuid4

from django.http import HttpRequest

BEGINNING = re.compile("[0-9a-f]{4,32}", re.IGNORECASE | re.ASCII)
_UUID = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    re.IGNORECASE | re.ASCII,
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def parse_uuid(text: str) -> UUID | None:
    """The UUID that is written here, with dashes or as 32 digits, in either case; else ``None``."""
    return UUID(text) if _UUID.fullmatch(text) else None


def dashed(pk: UUID | str) -> str:
    """A UUID as the API writes it, also for the 32 digits that MariaDB and SQLite keep."""
    text = str(pk)
    if len(text) != 32:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def request_id_of(request: HttpRequest) -> str:
    """The id that this request's answer and its tasks bear: ``req-`` and a text.

    It is the client's own (``X-Openstack-Request-ID``) if that is acceptable, else a new UUID.
    """
    sent = request.headers.get("X-Openstack-Request-ID", "")
    if not _REQUEST_ID.fullmatch(sent):
        return f"req-{uuid4()}"
    return sent if sent.startswith("req-") else f"req-{sent}"


def ids_beginning_with(text: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begin with these digits; ``None`` for fewer than four."""
    digits = text.replace("-", "")
    if not BEGINNING.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def idempotency_key_of(request: HttpRequest) -> str | None:
    """The key that the client repeats the request with, less the quotes that it may stand in."""
    key = request.headers.get("Idempotency-Key")
    return key[1:-1] if key and len(key) > 1 and key[0] == key[-1] == '"' else key


def process_name() -> str:
    """``host:pid`` of this process, by which people find it."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"
