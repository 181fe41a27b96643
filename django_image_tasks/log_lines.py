"""Log lines of ``key=value``. No value can forge a line, and tracebacks show no secret of a URL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from traceback import format_exception
from typing import Self

from django_image_tasks.redaction import redact_text


class Line(str):
    """What is logged, and what it was made of, for a formatter that writes JSON."""

    event: str
    fields: Mapping[str, object]

    @classmethod
    def of(cls, text: str, event: str, fields: Mapping[str, object]) -> Self:
        made = cls(text)
        made.event, made.fields = event, fields
        return made


def line(event: str, /, **fields: object) -> Line:
    """The event and its fields. A value that is not one plain word is quoted as in JSON."""
    text = " ".join([event, *(f"{key}={_value(value)}" for key, value in fields.items())])
    return Line.of(text, event, fields)


def with_traceback(event: str, error: BaseException, /, **fields: object) -> Line:
    """The event and its fields, and below them the redacted traceback of an error.

    Log it without ``exc_info``: the error's text may hold a URL, and some logging handlers send the
    variables of its frames along, a task's input among them.
    """
    traceback = redact_text("".join(format_exception(error))).rstrip()
    text = "\n  ".join([line(event, **fields), *map(_escaped, traceback.split("\n"))])
    return Line.of(text, event, {**fields, "traceback": traceback})


def _value(value: object) -> str:
    text = str(value)
    is_word = text.isprintable() and not any(each in text for each in ' "=')
    return text if text and is_word else json.dumps(text)


def _escaped(text: str) -> str:
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
