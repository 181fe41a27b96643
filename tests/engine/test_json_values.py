"""What a database can keep as JSON, and what JSON Schemas say, where Python would say another."""

from __future__ import annotations

from typing import Any

import pytest

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.json_values import check_json, check_schema

KEYS = {"type": "object", "patternProperties": {"^[a-z]$": {"type": "integer"}}}
DIGITS = {"pattern": "^[0-9]+$"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (DIGITS, "12"),
        (DIGITS, 12),
        ({"pattern": r"^\$$"}, "$"),
        ({"pattern": "^[$a]$"}, "$"),
        ({"pattern": r"^[\]$]$"}, "$"),
        ({"pattern": r"^a\n$"}, "a\n"),
        ({"pattern": "^(a|b$)"}, "a\n"),
        ({**KEYS, "additionalProperties": False}, {"a": 1}),
        ({**KEYS, "unevaluatedProperties": False}, {"a": 1}),
        (KEYS, {"a\n": "x"}),
    ],
)
def test_what_matches(schema: Any, value: object) -> None:
    check_schema(value, schema)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (DIGITS, "12\n", r"'12\n' does not match '^[0-9]+$' (expected pattern ^[0-9]+$)"),
        ({"properties": {"a": DIGITS}}, {"a": "x"}, "'x' does not match"),
        ({"items": {"pattern": "^(a|b$)"}}, ["b\n"], r"'b\n' does not match '^(a|b$)'"),
        ({"pattern": r"^\$$"}, "$\n", "does not match"),
        (KEYS, {"a": "x"}, "'x' is not of type 'integer'"),
        ({**KEYS, "additionalProperties": False}, {"a\n": 1}, "does not match any of the regexes"),
        ({**KEYS, "unevaluatedProperties": False}, {"a\n": 1}, "Unevaluated properties"),
        ({"additionalProperties": False}, {"a": 1}, "Additional properties are not allowed"),
    ],
)
def test_what_does_not(schema: Any, value: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_schema(value, schema)

    assert message in str(caught.value)


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_a_hundred_levels_are_kept_and_no_more() -> None:
    check_json(nested(100))

    with pytest.raises(InvalidInput, match="nested more than 100 levels deep"):
        check_json(nested(101))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (7, "a key is not a string"),
        ("a\0", "a string has a NUL in it"),
        ("\ud800", "a string has half of a surrogate pair in it"),
    ],
)
def test_what_is_no_key_that_can_be_kept_is_refused(key: object, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        check_json([{"a": {key: 1}}])


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_what_is_no_number_of_json_is_refused(number: float) -> None:
    with pytest.raises(InvalidInput, match="is not a number of JSON"):
        check_json([number])
