from __future__ import annotations

import json
import math
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.schemas import mismatch

MAX_DEPTH = 100


class JSONParser(BaseParser):
    """JSON in UTF-8, whatever ``charset`` says; read through Django's limit on a body's size."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return json.loads(parser_context["request"].body.decode())
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise ParseError("Malformed JSON in request body.") from None
        except RecursionError:
            raise _too_deep() from None
        except ValueError:
            raise mismatch("body: an integer has too many digits") from None


def check_storable(value: Any, depth: int = 1) -> None:
    """Raise InvalidInput for what JSON can carry but not every database can keep."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    match value:
        case str():
            if "\0" in value or not value.isprintable() and _has_surrogate(value):
                raise mismatch("body: a string has a NUL or half of a surrogate pair in it")
        case float():
            if not math.isfinite(value):
                raise mismatch(f"body: {value} is not a number of JSON")
        case dict():
            for key, item in value.items():
                check_storable(key, depth)
                check_storable(item, depth + 1)
        case list():
            for item in value:
                check_storable(item, depth + 1)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep() -> InvalidInput:
    return mismatch(f"body: nested more than {MAX_DEPTH} levels deep")
