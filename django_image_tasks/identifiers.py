from __future__ import annotations

import re
from uuid import UUID

_SPELLINGS = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    re.IGNORECASE | re.ASCII,
)


def parse_uuid(text: str) -> UUID | None:
    """The UUID in one of the two spellings the API takes, in any case: dashed, or 32 digits."""
    return UUID(text) if _SPELLINGS.fullmatch(text) else None


def dashed(pk: UUID | str) -> str:
    """A UUID as the API writes it, also from the 32 digits that some databases keep."""
    text = str(pk)
    if len(text) != 32:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
