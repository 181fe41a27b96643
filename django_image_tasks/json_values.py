"""Values that every database can keep as JSON or as text, and that match a JSON Schema."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from django_image_tasks.exceptions import InvalidInput

MAX_DEPTH = 100
MAX_MESSAGE_SIZE = 8 * 2**10
"""Bytes of UTF-8."""


def check_json(value: object, depth: int = 1) -> None:
    """Raise InvalidInput, with the reason, for what one of the databases cannot keep as JSON."""
    if depth > MAX_DEPTH:
        raise InvalidInput(f"nested more than {MAX_DEPTH} levels deep")
    match value:
        case str():
            _check_text(value)
        case float() if not math.isfinite(value):
            raise InvalidInput(f"{value} is not a number of JSON")
        case dict():
            for key, item in value.items():
                _check_text(key)
                check_json(item, depth + 1)
        case list() | tuple():
            for item in value:
                check_json(item, depth + 1)
        case None | bool() | int() | float():
            return
        case _:
            raise InvalidInput(f"{type(value).__name__} is not a type of JSON")


def json_size(value: object) -> int:
    """Bytes of a value as JSON in UTF-8, written without spaces."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def kept_message(message: str) -> str:
    """A message cut to what is kept of it, without what a database refuses as text."""
    text = message.replace("\0", "").encode("utf-8", "replace")
    if len(text) <= MAX_MESSAGE_SIZE:
        return text.decode()
    end = "…"
    return text[: MAX_MESSAGE_SIZE - len(end.encode())].decode(errors="ignore") + end


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise InvalidInput("a key is not a string")
    if "\0" in text:
        raise InvalidInput("a string has a NUL in it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("a string has half of a surrogate pair in it") from None


def check_schema(instance: object, schema: Mapping[str, Any], *, where: str = "") -> None:
    """Raise InvalidInput, with one line that says where it does not match, and what is expected."""
    error = best_match(Draft202012Validator(schema).iter_errors(instance))
    if error is not None:
        path = ".".join([*filter(None, [where]), *map(str, error.absolute_path)])
        raise mismatch(f"{path or 'body'}: {_explain(error)}")


def mismatch(what: str) -> InvalidInput:
    """The error for a body that does not match; its words are those of Glance."""
    return InvalidInput(f"Provided object does not match schema 'task': {what}")


_SELF_EXPLAINING = {"type", "enum", "required", "additionalProperties", "const", "oneOf", "anyOf"}


def _explain(error: ValidationError) -> str:
    message: str = error.message
    if len(message) > 400:
        message = f"{message[:200]} … {message[-200:]}"
    if error.validator in _SELF_EXPLAINING:
        return message
    return f"{message} (expected {error.validator} {error.validator_value})"
