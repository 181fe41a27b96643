"""Form fields for query parameters that may be repeated (docs/reference/http.md, "Filtering")."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.keyset import SortKey, parse_order

OPERATORS = ("eq", "neq", "gt", "gte", "lt", "lte")
MAX_VALUES = 100
"""MariaDB counts the rows of so many values before it chooses an index; of 200 it guesses."""
MAX_COMPARISONS = 8

# Python takes any character between the date and the time.
ISO_8601 = re.compile("[0-9TWZ :.,+-]+")
# What a database that keeps local time can still tell; no task is older or younger.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


class Comparison(NamedTuple):
    """An operator, and the first and last microsecond of the time it is applied to."""

    operator: str
    first: datetime
    last: datetime


class Repeated:
    """A widget that reads every value of a parameter, less the empty ones."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in data.getlist(name) if value]


class RepeatedInput(Repeated, forms.TextInput):
    """A text box for a parameter that may be repeated. It shows the last value."""

    kind = "texts"
    """How a page shows it: filter_form.html shows all the values."""

    def format_value(self, value: Any) -> str | None:
        return value[-1] if value else None


class RepeatedSelect(Repeated, forms.Select):
    """A choice for a parameter that may be repeated."""

    def format_value(self, value: Any) -> list[str]:
        return value or [""]


class RepeatedTicks(Repeated, forms.CheckboxSelectMultiple):
    """Boxes of which any may be ticked: those that the query names, in an ``in:`` list too."""

    kind = "ticks"

    def format_value(self, value: Any) -> list[str]:
        words: list[str] = []
        for item in value:
            with suppress(ValueError):
                words += split_words(item)
        return words


class TimesInput(RepeatedInput):
    """A text box for comparisons with a time."""

    kind = "times"


class DirectionSelect(RepeatedSelect):
    """A choice of directions. An empty one counts, for it keeps its place among the others."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name)  # type: ignore[no-any-return]


class RepeatedField(forms.Field):
    """A list of strings, taken as they are."""

    widget = RepeatedInput

    def clean(self, value: list[str]) -> Any:
        return value


class WordsField(RepeatedField):
    """Words of which any may match: a parameter that is repeated, or one ``in:`` list of them.

    ``parse`` turns a word into what is compared, or into ``None`` if it is no such word. Raises
    ValidationError in the contract's words, as Django's fields do.
    """

    def __init__(self, *, param: str, parse: Callable[[str], Any] = str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.param = param
        self.parse = parse

    def clean(self, value: list[str]) -> list[Any]:
        words = [word for item in value for word in self._split(item)]
        if len(words) > MAX_VALUES:
            raise ValidationError(f"Too many values for {self.param}: at most {MAX_VALUES}.")
        return list(dict.fromkeys(map(self._parse, words)))

    def _split(self, item: str) -> list[str]:
        try:
            return split_words(item)
        except ValueError:
            raise self._invalid(item) from None

    def _parse(self, word: str) -> Any:
        parsed = self.parse(word)
        if parsed is None:
            raise self._invalid(word)
        return parsed

    def _invalid(self, value: str) -> ValidationError:
        return ValidationError(f"Invalid {self.param} value: {value}")


class TimesField(RepeatedField):
    """Comparisons with a time, all of which must hold. Raises ValidationError as above."""

    widget = TimesInput

    def __init__(self, *, param: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.param = param

    def clean(self, value: list[str]) -> list[Comparison]:
        if len(value) > MAX_COMPARISONS:
            raise ValidationError(
                f"Too many comparisons with {self.param}: at most {MAX_COMPARISONS}."
            )
        return [self._parse(item) for item in value]

    def _parse(self, item: str) -> Comparison:
        operator, colon, text = item.partition(":")
        if not colon or operator not in OPERATORS:
            operator, text = "eq", item
        try:
            return Comparison(operator, *parse_second(text))
        except (ValueError, OverflowError):
            raise ValidationError(f"Invalid {self.param} value: {item}") from None


def split_words(item: str) -> list[str]:
    """The words in one value. Raises ValueError for a list that cannot be read."""
    if not item.startswith("in:"):
        return [item]
    try:
        [words] = csv.reader([item.removeprefix("in:")], strict=True)
    except csv.Error as error:
        raise ValueError(item) from error
    if not (words and all(words)):
        raise ValueError(item)
    return words


def parse_second(text: str) -> tuple[datetime, datetime]:
    """The first and the last microsecond of an ISO 8601 time; with a fraction, that time twice.

    Raises ValueError or OverflowError for what is not a time, or not one in UTC.
    """
    if not ISO_8601.fullmatch(text):
        raise ValueError(text)
    time = datetime.fromisoformat(text)
    time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    time = max(EARLIEST, min(time, LATEST))
    has_fraction = "." in text or "," in text
    return time, time if has_fraction else time.replace(microsecond=999_999)


class TaskFilterForm(forms.Form):
    """The parameters of a list, with the rule that spans three of them: they make one order."""

    asked_order: Sequence[SortKey] = ()
    """The sort keys that the query names, or the default."""

    def clean(self) -> None:
        sort = [self.cleaned_data.get(name, ()) for name in ("sort_key", "sort_dir", "sort")]
        try:
            self.asked_order = parse_order(*sort)
        except InvalidInput as error:
            raise ValidationError(str(error)) from None
