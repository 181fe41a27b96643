"""JSON to look at: coloured, foldable, and escaped. Without a script."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

MOST_VALUES = 1000
"""A document with more values is shown as plain text."""
MOST_CHARACTERS = 100_000
"""A document with more is shown as plain text, and cut."""
OPEN_LEVELS, OPEN_MEMBERS = 3, 30
"""What is deeper, or has more members, is folded at first."""
LONGEST_STRING = 500


class Document(NamedTuple):
    """A value as the page shows it."""

    markup: SafeString
    """Nested ``<details>``."""
    text: str
    """What is copied; empty if there is too much of it."""


def plain_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def document(value: Any) -> Document:
    text = plain_json(value)
    if len(text) > MOST_CHARACTERS:
        return Document(_plain(text, text[:MOST_CHARACTERS] + "…"), "")
    if sum(1 for _ in islice(_values(value), MOST_VALUES + 1)) > MOST_VALUES:
        return Document(_plain(text, text), text)
    return Document(_markup(value), text)


def _plain(text: str, shown: str) -> SafeString:
    return format_html(
        "<details><summary>{}</summary><pre>{}</pre></details>",
        ngettext("%(count)d character", "%(count)d characters", len(text)) % {"count": len(text)},
        shown,
    )


def _values(value: Any) -> Any:
    """The value and all values in it."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value


def _markup(value: Any, key: SafeString | str = "", end: str = "", level: int = 1) -> SafeString:
    if isinstance(value, dict | list) and value:
        return _members(value, key, end, level)
    text = plain_json(value)
    if isinstance(value, str) and len(value) > LONGEST_STRING:
        return _long_string(text, key, end)
    kind = "string" if isinstance(value, str) else "literal"
    return format_html('<div>{}<span class="task-json-{}">{}</span>{}</div>', key, kind, text, end)


def _members(value: Any, key: SafeString | str, end: str, level: int) -> SafeString:
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    if isinstance(value, dict):
        keys, members = [_key(name) for name in value], list(value.values())
    else:
        keys, members = [SafeString("")] * len(value), value
    ends = [","] * (len(members) - 1) + [""]
    lines = (
        (_markup(member, name, comma, level + 1),)
        for member, name, comma in zip(members, keys, ends, strict=True)
    )
    is_open = level <= OPEN_LEVELS and len(members) <= OPEN_MEMBERS
    count = ngettext("%(count)d item", "%(count)d items", len(members)) % {"count": len(members)}
    return format_html(
        '<details{}><summary>{}{}<span class="task-json-folded"> {} {}{}</span></summary>'
        '<div class="task-json-members">{}</div><div>{}{}</div></details>',
        SafeString(" open" if is_open else ""),
        key,
        opening,
        count,
        closing,
        end,
        format_html_join("", "{}", lines),
        closing,
        end,
    )


def _long_string(text: str, key: SafeString | str, end: str) -> SafeString:
    return format_html(
        '<details><summary>{}<span class="task-json-folded">'
        '<span class="task-json-string">{}…</span> {}{}</span></summary>'
        '<div class="task-json-string">{}{}</div></details>',
        key,
        text[:60],
        gettext("%(count)d characters") % {"count": len(text) - 2},
        end,
        text,
        end,
    )


def _key(name: str) -> SafeString:
    return format_html('<span class="task-json-key">{}</span>: ', plain_json(name))
