from __future__ import annotations

import math
from typing import Any

from django_image_tasks.exceptions import InvalidInput

MAX_DEPTH = 100


def check_storable(value: Any, depth: int = 1) -> None:
    """Raise InvalidInput, saying why, for what not every database can keep as JSON."""
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
                check_storable(item, depth + 1)
        case list() | tuple():
            for item in value:
                check_storable(item, depth + 1)
        case None | bool() | int() | float():
            return
        case _:
            raise InvalidInput(f"{type(value).__name__} is not a type of JSON")


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise InvalidInput("a key is not a string")
    if "\0" in text:
        raise InvalidInput("a string has a NUL in it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("a string has half of a surrogate pair in it") from None
