"""Values that every database can keep as JSON or as text, and that match a JSON Schema."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

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


_END = re.compile(r"(\\.|\[(?:\\.|[^\]\\])*\])|\$", re.DOTALL)
"""The ``$`` of a pattern, besides what is none: behind a backslash, and between brackets."""


@lru_cache
def _in_python(pattern: str) -> str:
    """A pattern of JSON Schema, whose ``$`` is the end: Python's lets a line feed follow."""
    return _END.sub(lambda match: match[1] or r"\Z", pattern)


def _pattern(validator: Any, pattern: str, instance: object, schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not re.search(_in_python(pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _beside_patterns(keyword: str) -> Any:
    """The validator of a keyword that looks at ``patternProperties``, its own value or not."""
    own = Draft202012Validator.VALIDATORS[keyword]

    def validate(validator: Any, value: Any, instance: object, schema: Any) -> Any:
        if patterns := schema.get("patternProperties"):
            patterns = {_in_python(pattern): part for pattern, part in patterns.items()}
            schema = {**schema, "patternProperties": patterns}
        return own(validator, schema[keyword], instance, schema)

    return validate


_BESIDE_PATTERNS = ("patternProperties", "additionalProperties", "unevaluatedProperties")
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern, **{keyword: _beside_patterns(keyword) for keyword in _BESIDE_PATTERNS}},
)


def check_schema(instance: object, schema: Mapping[str, Any], *, where: str = "") -> None:
    """Raise InvalidInput, with one line that says where it does not match, and what is expected."""
    error = best_match(_Validator(schema).iter_errors(instance))
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
