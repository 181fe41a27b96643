"""Log lines of ``key=value``, which no value can forge and in which no URL's secret stands."""

from __future__ import annotations

import json
from traceback import format_exception

from django_image_tasks.redaction import redact_text


def line(event: str, /, **fields: object) -> str:
    """The event and its fields, each value quoted as in JSON if it is not one plain word."""
    return " ".join([event, *(f"{key}={_value(value)}" for key, value in fields.items())])


def with_traceback(event: str, error: BaseException, /, **fields: object) -> str:
    """The event and, indented below it, the traceback of an error.

    To be logged without ``exc_info``: the error's own text may hold a URL, and the variables in
    its frames, which some handlers send along, hold the input of a task.
    """
    traceback = redact_text("".join(format_exception(error))).rstrip().split("\n")
    return "\n  ".join([line(event, **fields), *map(_escaped, traceback)])


def _value(value: object) -> str:
    text = str(value)
    is_word = text.isprintable() and not any(each in text for each in ' "=')
    return text if text and is_word else json.dumps(text)


def _escaped(text: str) -> str:
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
