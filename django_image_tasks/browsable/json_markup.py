"""JSON text, coloured and with links to click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from django.utils.safestring import SafeString, mark_safe

TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<literal>true|false|null|-?[0-9][0-9.eE+-]*)"
)
PATHS = frozenset({'"self"', '"first"', '"next"', '"schema"', '"href"'})
"""Keys whose values may be paths from the API's root."""
HREF = re.compile(r'"(?:https?://|/)[!#-\[\]-~]+"')


def json_markup(text: str, root: str) -> SafeString:
    """HTML for the text; paths that begin at the API's root get ``root`` in front."""
    return mark_safe("".join(_pieces(text, root)))  # noqa: S308 (each piece is escaped)


def _pieces(text: str, root: str) -> Iterator[str]:
    end, key = 0, ""
    for token in TOKEN.finditer(text):
        yield escape(text[end : token.start()])
        kind, word, end = str(token.lastgroup), token[0], token.end()
        yield f'<span class="json-{kind}">{_linked(word, key, root)}</span>'
        if kind == "key":
            key = word
    yield escape(text[end:])


def _linked(word: str, key: str, root: str) -> str:
    shown = escape(word)
    is_path = word.startswith('"/')
    if not HREF.fullmatch(word) or (is_path and key not in PATHS):
        return shown
    target = escape((root if is_path else "") + word[1:-1])
    return f'&quot;<a href="{target}" rel="nofollow noreferrer">{shown[6:-6]}</a>&quot;'
