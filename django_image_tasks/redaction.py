"""What may be shown of a URL: never user name, password, path, query or fragment."""

from __future__ import annotations

import re

SHOWN = re.compile(
    r"([a-z][a-z0-9+.-]*://)(?:[^/?#\\\s]*@)?"
    r"((?:[\w.-]*|\[[0-9a-f:.]*\])(?::[0-9]{0,5})?)(?=[/?#]|\Z)",
    re.IGNORECASE,
)
TELLING = re.compile(r"//|[?#@;%]\S")


def redact(url: str, otherwise: str = "an unreadable address") -> str:
    """Scheme, host and port of a URL, or ``otherwise`` if they cannot be told from the rest."""
    match = SHOWN.match(url)
    return match[1] + match[2] if match else otherwise


def redact_text(text: str) -> str:
    """Text of any origin, such as an exception's, whose words that may hold a URL are redacted."""
    return re.sub(r"\S+", _redacted_word, text)


def _redacted_word(match: re.Match[str]) -> str:
    word = match[0]
    return redact(word.lstrip("'\"(<["), "…") if TELLING.search(word) else word
