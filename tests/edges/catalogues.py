"""Reads gettext's ``.po`` files."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FIELD = re.compile(r"(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) (.*)")


class Message(NamedTuple):
    context: str | None
    singular: str
    plural: str | None
    translations: list[str]
    is_fuzzy: bool

    @property
    def key(self) -> tuple[str | None, str, str | None]:
        return self.context, self.singular, self.plural


def messages(path: Path) -> Iterator[Message]:
    """All but the header."""
    for block in path.read_text().strip().split("\n\n")[1:]:
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if field := FIELD.match(line):
                name, line = field.groups()
            fields[name] = fields.get(name, "") + literal_eval(line)
        translations = [text for name, text in fields.items() if name.startswith("msgstr")]
        yield Message(
            fields.get("msgctxt"),
            fields["msgid"],
            fields.get("msgid_plural"),
            translations,
            is_fuzzy=bool(re.search("^#,.*fuzzy", block, re.MULTILINE)),
        )
