"""Queries that read a bounded part of an index, however long the table is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import IntegerField, QuerySet, Subquery, Value
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_image_tasks.statements import filled

CAP = 10_000
CAP_OF_SEVERAL = 1_000
"""Of several filters no index has every column: each row that is counted is read."""
MOST_MATCHES = 1_000
"""So many rows a search or a filter finds where no index has them in the list's order."""


def capped_count(rows: QuerySet[Any], cap: int = CAP) -> int:
    """How many rows there are, or one more than ``cap`` where there are more."""
    return rows.order_by().values("pk")[: cap + 1].count()


def shown(number: int, cap: int = CAP) -> str:
    """A capped number as a person reads it: ``10,000+``."""
    digits = number_format(min(number, cap), use_l10n=True, force_grouping=True)
    return f"{digits}+" if number > cap else digits


COUNT = "(SELECT COUNT(*) FROM ({}) capped)"


class CappedCount(Subquery):
    """:func:`capped_count` as one of many values of one query."""

    template = COUNT.format("%(subquery)s")

    def __init__(self, rows: QuerySet[Any], cap: int) -> None:
        super().__init__(_ones(rows, cap), output_field=IntegerField())


def capped_counts(rows: QuerySet[Any], values: Sequence[Sequence[Any]], cap: int) -> Sequence[int]:
    """One :func:`capped_count` for each of these sequences of values, in one query.

    The rows are filtered by a :class:`~django_image_tasks.statements.Slot` for each value. Django
    puts their SQL together once: for 48 counts that took half of the time of a page.
    """
    connection = connections[rows.db]
    try:
        sql, slots = _ones(rows, cap).query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return [0] * len(values)
    counts = ", ".join([COUNT.format(sql)] * len(values))
    params = [param for each in values for param in filled(slots, each, connection)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}", params)
        return cursor.fetchone()  # type: ignore[no-any-return]


def _ones(rows: QuerySet[Any], cap: int) -> Any:
    # No column: an index that lacks it would have to look it up in the table.
    return rows.order_by().annotate(one=Value(1)).values("one")[: cap + 1]


def first_ids(request: HttpRequest, rows: QuerySet[Any]) -> list[UUID]:
    """The ids of the first of these rows. A message tells the user if there are more."""
    ids = list(rows.values_list("pk", flat=True)[: MOST_MATCHES + 1])
    if len(ids) > MOST_MATCHES:
        warn(request, _("Only the first %(number)s matches are shown."), MOST_MATCHES)
    return ids[:MOST_MATCHES]


def warn(request: HttpRequest, text: Any, number: int) -> None:
    """Tell the user of a bound; of the same one once, however often it is met."""
    told: set[str] = vars(request).setdefault("image_tasks_told", set())
    words = text % {"number": number_format(number, force_grouping=True)}
    if words not in told:
        told.add(words)
        messages.warning(request, words, fail_silently=True)
