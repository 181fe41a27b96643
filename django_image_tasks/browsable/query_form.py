"""The list's query parameters as the controls of an HTML form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.forms import BoundField
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from django_image_tasks.forms import parse_second
from django_image_tasks.keyset import SORT_KEYS, SortKey, parse_order
from django_image_tasks.models import Task

SORTING = ("sort_key", "sort_dir", "sort")


class Times(NamedTuple):
    """A range of times as two boxes show it, and what the query says that is no part of one."""

    since: str
    before: str
    others: list[str]


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
        self.fields = [form[name] for name in form.fields if name not in SORTING]
        self.order = order_of(filterset)
        self.hidden = [
            (name, value)
            for name, values in query.lists()
            for value in values
            if value and name not in {*form.fields, *SORTING, "marker"}
        ]
        self.active = sum(any(query.getlist(field.html_name)) for field in self.fields)

    @property
    def sort_keys(self) -> list[tuple[str, str]]:
        return [(key, _label(key)) for key in SORT_KEYS]


def order_of(filterset: Any) -> Sequence[SortKey]:
    """What the query sorts by, without tie-breakers; the default where it cannot be read."""
    return filterset.form.asked_order or parse_order([], [], [])


def heads(filterset: Any, keys: Sequence[str]) -> list[Head]:
    first, *_ = order_of(filterset)
    now = {first.name: "desc" if first.descending else "asc"}
    return [_head(filterset.data, key, now.get(key, "")) for key in keys]


def _head(query: QueryDict, key: str, direction: str) -> Head:
    query = query.copy()
    for name in (*SORTING, "marker"):
        query.pop(name, None)
    query["sort_key"], query["sort_dir"] = key, "asc" if direction == "desc" else "desc"
    return Head(key, _label(key), f"?{query.urlencode()}", direction)


def _label(key: str) -> str:
    if key == "id":
        return _("ID")
    field: Any = Task._meta.get_field(key)
    return str(capfirst(field.verbose_name))


def time_range(bound: BoundField) -> Times:
    """The values of a time's parameter; those that make a range, in UTC and without the zone."""
    ends, others = {"gte": "", "lt": ""}, []
    for value in bound.value():
        operator, _, text = value.partition(":")
        shown = _local(text) if ends.get(operator) == "" else ""
        if shown:
            ends[operator] = shown
        else:
            others.append(value)
    return Times(ends["gte"], ends["lt"], others)


def _local(text: str) -> str:
    """A whole second in UTC, without the zone; empty for what is none."""
    try:
        first, last = parse_second(text)
    except (ValueError, OverflowError):
        return ""
    return "" if first == last else first.replace(tzinfo=None).isoformat()
