"""Queries that read a bounded part of an index, however long the table is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import IntegerField, QuerySet, Subquery, Value
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _

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


class CappedCount(Subquery):
    """:func:`capped_count` as one of many values of one query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) capped)"

    def __init__(self, rows: QuerySet[Any], cap: int = CAP) -> None:
        # No column: an index that lacks it would have to look it up in the table.
        ones = rows.order_by().annotate(one=Value(1)).values("one")[: cap + 1]
        super().__init__(ones, output_field=IntegerField())


def first_ids(request: HttpRequest, rows: QuerySet[Any]) -> list[UUID]:
    """The ids of the first of these rows. A message tells the user if there are more."""
    ids = list(rows.values_list("pk", flat=True)[: MOST_MATCHES + 1])
    if len(ids) > MOST_MATCHES:
        number = number_format(MOST_MATCHES, force_grouping=True)
        text = _("Only the first %(number)s matches are shown.") % {"number": number}
        messages.warning(request, text, fail_silently=True)
    return ids[:MOST_MATCHES]
