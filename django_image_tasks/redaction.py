"""URLs without their secrets: scheme, host and port are shown, and nothing else."""

from __future__ import annotations

import re

SHOWN = re.compile(
    r"([a-z][a-z0-9+.-]*://)(?:[^/?#\\\s]*@)?"
    r"((?:[\w.-]*|\[[0-9a-f:.]*\])(?::[0-9]{0,5})?)(?=[/?#]|\Z)",
    re.IGNORECASE,
)
TELLING = re.compile(r"//|[?#@;%]\S")
"""What a word has in it that may be a URL or a part of one."""


def redact(url: str, otherwise: str = "an unreadable address") -> str:
    """Scheme, host and port of a URL, or ``otherwise`` if it is not clear which they are."""
    match = SHOWN.match(url)
    return match[1] + match[2] if match else otherwise


def redact_text(text: str) -> str:
    """A text, such as an exception's, with each word redacted that may be a URL or hold one."""
    return re.sub(r"\S+", _redacted_word, text)


def _redacted_word(match: re.Match[str]) -> str:
    word = match[0]
    return redact(word.lstrip("'\"(<["), "…") if TELLING.search(word) else word
