"""The list's query parameters as the controls of an HTML form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.forms import BoundField, Select
from django.http import QueryDict
from django.utils.text import capfirst

from django_image_tasks.forms import RepeatedField, TimesField, WordsField, parse_second
from django_image_tasks.keyset import SORT_KEYS, parse_order
from django_image_tasks.models import Task

SORTING = ("sort_key", "sort_dir", "sort")


class Choice(NamedTuple):
    """A box to tick."""

    value: str
    chosen: bool


class Choices(NamedTuple):
    """Boxes of which any may be ticked."""

    name: str
    label: str
    choices: list[Choice]


class Texts(NamedTuple):
    """A text box for each value of a parameter."""

    name: str
    label: str
    values: list[str]


class Times(NamedTuple):
    """Two boxes for a range of times, in UTC, and what the query says that is no part of one."""

    name: str
    label: str
    since: str
    before: str
    others: list[str]


class Order(NamedTuple):
    """A sort key and its direction, ``asc`` or ``desc``."""

    key: str
    direction: str


class Head(NamedTuple):
    """The head of a column: a click sorts the list by it."""

    key: str
    label: str
    url: str
    direction: str
    """How the rows are sorted by this column now. Empty if they are sorted by another."""


class QueryForm:
    """The query as a form. Sent unchanged, it asks for the same tasks."""

    def __init__(self, filterset: Any) -> None:
        form, query = filterset.whole_form, filterset.data
        fields = [form[name] for name in form.fields if name not in SORTING]
        choices = [field for field in fields if _is(field, WordsField, Select)]
        times = [field for field in fields if _is(field, TimesField)]
        texts = [field for field in fields if _is(field, RepeatedField) and field not in choices]
        self.choices = [_choices(field) for field in choices]
        self.times = [_times(field) for field in times]
        self.texts = [_texts(field) for field in texts if field not in times]
        self.others = [field for field in fields if not _is(field, RepeatedField)]
        self.order = order_of(filterset)
        self.hidden = [
            (name, value)
            for name, values in query.lists()
            for value in values
            if value and name not in {*form.fields, *SORTING, "marker"}
        ]
        self.active = sum(any(query.getlist(field.html_name)) for field in fields)

    @property
    def sort_keys(self) -> list[tuple[str, str]]:
        return [(key, _label(key)) for key in SORT_KEYS]


def order_of(filterset: Any) -> list[Order]:
    """What the query sorts by, without tie-breakers; the default where it cannot be read."""
    asked = filterset.form.asked_order or parse_order([], [], [])
    return [Order(key.name, "desc" if key.descending else "asc") for key in asked]


def heads(filterset: Any, keys: Sequence[str]) -> list[Head]:
    first = order_of(filterset)[0]
    return [_head(filterset.data, key, first.direction if key == first.key else "") for key in keys]


def _head(query: QueryDict, key: str, direction: str) -> Head:
    query = query.copy()
    for name in (*SORTING, "marker"):
        query.pop(name, None)
    query["sort_key"], query["sort_dir"] = key, "asc" if direction == "desc" else "desc"
    return Head(key, _label(key), f"?{query.urlencode()}", direction)


def _label(key: str) -> str:
    field: Any = Task._meta.get_field(key)
    return str(capfirst(field.verbose_name))


def _is(field: BoundField, kind: type, widget: type = object) -> bool:
    return isinstance(field.field, kind) and isinstance(field.field.widget, widget)


def _choices(bound: BoundField) -> Choices:
    field: Any = bound.field
    options = chain.from_iterable(group for _, group, _ in field.widget.optgroups("", []))
    words = _words(field, bound.value())
    values = [str(option["value"]) for option in options if option["value"]]
    return Choices(
        bound.html_name, str(bound.label), [Choice(value, value in words) for value in values]
    )


def _words(field: WordsField, values: list[str]) -> set[str]:
    words: set[str] = set()
    for value in values:
        try:
            words.update(field.split(value))
        except ValidationError:
            continue
    return words


def _texts(bound: BoundField) -> Texts:
    return Texts(bound.html_name, str(bound.label), bound.value() or [""])


def _times(bound: BoundField) -> Times:
    ends = {"gte": "", "lt": ""}
    others = []
    for value in bound.value():
        operator, _, text = value.partition(":")
        shown = _local(text) if ends.get(operator) == "" else ""
        if shown:
            ends[operator] = shown
        else:
            others.append(value)
    return Times(bound.html_name, str(bound.label), ends["gte"], ends["lt"], others)


def _local(text: str) -> str:
    """A whole second in UTC, without the zone; empty for what is none."""
    try:
        first, last = parse_second(text)
    except (ValueError, OverflowError):
        return ""
    return "" if first == last else first.replace(tzinfo=None).isoformat()
