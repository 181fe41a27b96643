"""Numbers for people: exact while they are small, and never a scan of the table."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery, Value
from django.utils.formats import number_format

CAP = 10_000
CAP_OF_SEVERAL = 1_000
"""Of several filters no index has every column: each row that is counted is read."""


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
