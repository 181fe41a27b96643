"""JSON as HTML for people: coloured, with links or folds, and escaped. No script is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext

MOST_LINES = 1000
"""A document of more lines is shown as plain text: each word would be an element of the page."""
MOST_CHARACTERS = 100_000
"""A document of more characters is shown as plain text, and cut."""
OPEN_LEVELS, OPEN_MEMBERS = 3, 30
"""What is deeper, or has more members, is folded at first."""
LONGEST_STRING = 500
"""A string of more characters is folded."""

TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<literal>true|false|null|-?[0-9][0-9.eE+-]*)"
)
PATHS = frozenset({'"self"', '"first"', '"next"', '"schema"', '"href"'})
"""Keys whose values may be paths from the API's root."""
HREF = re.compile(r'"(?:https?://|/)[!#-\[\]-~]+"')


class Document(NamedTuple):
    """A JSON value as a page of the admin shows it."""

    markup: SafeString
    """Nested ``<details>``."""
    text: str
    """What the copy button copies; empty where the document was cut."""


def coloured(text: str, root: str | None = None) -> SafeString:
    """JSON text with its words coloured.

    With ``root``, the path that the API is mounted at, URLs and the API's own paths are links.
    """
    return mark_safe("".join(_words(text, root)))  # noqa: S308 (each word is escaped)


def foldable(value: Any) -> Document:
    """A JSON value, coloured, with objects and lists that can be folded."""
    text = _dumps(value)
    if len(text) > MOST_CHARACTERS:
        return Document(_folded_text(text, text[:MOST_CHARACTERS] + "…"), "")
    is_long = text.count("\n") >= MOST_LINES
    return Document(_folded_text(text, text) if is_long else _tree(value), text)


def _dumps(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _words(text: str, root: str | None) -> Iterator[str]:
    end, key = 0, ""
    for token in TOKEN.finditer(text):
        yield escape(text[end : token.start()])
        kind, word, end = str(token.lastgroup), token[0], token.end()
        shown = escape(word) if root is None else _linked(word, key, root)
        yield f'<span class="task-json-{kind}">{shown}</span>'
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


def _tree(value: Any, key: str | None = None, end: str = "", level: int = 1) -> SafeString:
    """A value behind its key and before its comma, if it has them."""
    begin = coloured(f"{_dumps(key)}: ") if key is not None else ""
    if isinstance(value, str) and len(value) > LONGEST_STRING:
        return _folded_text(value, _dumps(value) + end, begin)
    if not isinstance(value, dict | list) or not value:
        return format_html("<div>{}{}{}</div>", begin, coloured(_dumps(value)), end)
    members = value.items() if isinstance(value, dict) else ((None, member) for member in value)
    lines = [
        _tree(member, key, "," * (number < len(value)), level + 1)
        for number, (key, member) in enumerate(members, 1)
    ]
    is_open = level <= OPEN_LEVELS and len(value) <= OPEN_MEMBERS
    count = ngettext("%(count)d item", "%(count)d items", len(value)) % {"count": len(value)}
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return format_html(
        '<details{}><summary>{}{}<span class="task-json-folded"> {} {}{}</span></summary>'
        '<div class="task-json-members">{}</div><div>{}{}</div></details>',
        SafeString(" open" if is_open else ""),
        begin,
        opening,
        count,
        closing,
        end,
        mark_safe("".join(lines)),  # noqa: S308 (lines of this function)
        closing,
        end,
    )


def _folded_text(text: str, shown: str, begin: str = "") -> SafeString:
    count = ngettext("%(count)d character", "%(count)d characters", len(text))
    return format_html(
        "<details><summary>{}{}</summary><pre>{}</pre></details>",
        begin,
        count % {"count": len(text)},
        shown,
    )
