"""Lists by keyset: an order, the page behind a marker, and what makes a database begin there.

A page is found by the values of the task before it, its marker, and not by counting rows. What
the condition has to look like for a database to begin inside an index, instead of reading all the
rows before the marker, is another thing on each of them, and all of it is in this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self, TypeVar, cast

from django.db import connections, models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThanOrEqual, Lookup

from django_image_tasks.exceptions import InvalidInput

Row = TypeVar("Row", bound=models.Model)

SORT_KEYS = (
    "created_at",
    "id",
    "name",
    "type",
    "status",
    "owner",
    "updated_at",
    "expires_at",
)
DIRECTIONS = {"asc": False, "desc": True, "": True}
TIE_BREAKERS = ("created_at", "id")

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for a time that is not set, where rows are put in order."""
FEW = 1_000
"""So many rows are rather sorted than looked for in the order of an index."""


class SortKey(NamedTuple):
    """A column of an order, with its direction."""

    name: str
    descending: bool

    @property
    def column(self) -> str:
        """What is compared and sorted by: a null would come first or last as the database likes."""
        return "expires_at_or_never" if self.name == "expires_at" else self.name

    def term(self, *, by_index: bool = True) -> OrderBy:
        """The key for ``order_by``; without ``by_index`` no index is seen to have this order."""
        column = F(self.column) if by_index else Coalesce(self.column, self.column)
        return OrderBy(column, descending=self.descending)


Position = Sequence[tuple[SortKey, Any]]
"""Where a row stands in an order: the keys, each with the row's value."""


def parse_order(
    keys: Sequence[str], directions: Sequence[str], sort: Sequence[str]
) -> list[SortKey]:
    """The order that is asked for by the values of ``sort_key`` and ``sort_dir``, or of ``sort``.

    Raises :exc:`~django_image_tasks.exceptions.InvalidInput` with the contract's text
    (docs/reference/http.md, "Sorting").
    """
    if sort:
        if keys or any(directions):
            raise InvalidInput("sort cannot be combined with sort_key and sort_dir.")
        terms = [term.partition(":") for value in sort for term in value.split(",")]
        keys, directions = [term[0] for term in terms], [term[2] for term in terms]
    return _pair(list(keys) or ["created_at"], directions)


def _pair(keys: Sequence[str], directions: Sequence[str]) -> list[SortKey]:
    if not set(keys) <= set(SORT_KEYS):
        raise InvalidInput("Sort key supplied was not valid.")
    if len(set(keys)) < len(keys):
        raise InvalidInput("A sort key may be given only once.")
    if len(directions) > len(keys):
        raise InvalidInput("There are more sort directions than sort keys.")
    for direction in directions:
        if direction not in DIRECTIONS:
            raise InvalidInput(f"Invalid sort direction: {direction}")
    missing = [""] * (len(keys) - len(directions))
    return [
        SortKey(key, DIRECTIONS[direction])
        for key, direction in zip(keys, [*directions, *missing], strict=True)
    ]


def _total(order: Sequence[SortKey]) -> list[SortKey]:
    """Add the tie-breakers; what stands behind the id decides nothing and is left out."""
    names = [key.name for key in order]
    ties = [SortKey(name, order[-1].descending) for name in TIE_BREAKERS if name not in names]
    order = [*order, *ties]
    return order[: 1 + [key.name for key in order].index("id")]


class KeysetQuerySet(models.QuerySet[Row]):
    """A queryset that knows which of its conditions an index can begin with, and its order.

    ``hold``, ``compare``, ``among`` and ``any_of`` filter as ``filter`` does and note what they
    did; ``in_order`` and ``after`` go by that.
    """

    held: Mapping[str, Any] = {}
    """The columns that all the rows have one value in, and that value."""
    compared: frozenset[str] = frozenset()
    """The columns that were filtered in another way, so that they may have many values."""
    is_few = False
    """Whether there are at most ``FEW`` rows."""
    order: Sequence[SortKey] = ()

    def hold(self, column: str, value: Any, *, is_rare: bool = False) -> Self:
        """The rows that have this value in a column; ``is_rare`` if few are expected to.

        MariaDB reads every row with ``status = x`` up to the marker. ``status >= x AND status <=
        x``, with ``status`` first in ORDER BY, makes it begin at the marker: 95 ms became 0.4 ms at
        100,000 rows. SQLite knows only how many rows a value has on average, and where most rows
        have one and the same value it would read all of an owner's for a rare one.
        """
        condition = Q((column, value))
        if self._vendor == "mysql":
            condition = Q((f"{column}__gte", value), (f"{column}__lte", value))
        elif self._vendor == "sqlite" and is_rare:
            condition = Q(_unlikely(Exact(F(column), value)))
        rows = self.filter(condition)
        rows.held = {**self.held, column: value}
        return rows

    def compare(self, column: str, condition: Q) -> Self:
        """The rows whose column is as the condition says; it may hold for many values."""
        rows = self.filter(condition)
        rows.compared = self.compared | {column}
        return rows

    def among(self, ids: Sequence[Any]) -> Self:
        """Those of the rows that have one of these ids, at most ``FEW``.

        They are sorted by what no index is seen to have: PostgreSQL looked for a thousand of them
        in the order of the list, through the whole table.
        """
        rows = self.filter(pk__in=ids)
        rows.is_few = True
        return rows

    def any_of(self, column: str, values: Sequence[Any]) -> Self:
        """The rows that have one of several values in a column that an index begins with.

        One query looks for their ids. If there are few, the planners need not guess between this
        index and the one that has the list's order.
        """
        found = self.model._default_manager.using(self.db).filter((f"{column}__in", values))
        ids = list(found.values_list("pk", flat=True)[: FEW + 1])
        if len(ids) <= FEW:
            return self.among(ids)
        return self.compare(column, Q((f"{column}__in", values)))

    def in_order(self, order: Sequence[SortKey]) -> Self:
        """Sort by these keys, then by ``created_at`` and ``id``: a total order.

        A null comes after every value, and so first where descending.
        """
        rows, order = self, _total(order)
        if any(key.name == "expires_at" for key in order):
            rows = rows.alias(expires_at_or_never=or_never("expires_at", self._vendor))
        # MariaDB would sort again for a key that all the rows have one value in.
        keys = [key for key in order if key.name not in self.held]
        if keys and self._vendor == "mysql" and not self.is_few:
            before = self._held_before(keys[0].name) or ()
            keys = [*(SortKey(name, keys[0].descending) for name in before), *keys]
        rows = rows.order_by(*(key.term(by_index=not self.is_few) for key in keys))
        rows.order = order
        return rows

    def after(self, marker: Mapping[str, Any]) -> Self:
        """The rows behind ``marker`` (column → value) in the order of :meth:`in_order`."""
        position = [
            (key, NEVER if marker[key.name] is None else marker[key.name])
            for key in self.order
            if key.name not in self.held or self.held[key.name] != marker[key.name]
        ]
        if not position:
            return self.none()
        if self._vendor == "mysql" or len({key.descending for key, _ in position}) > 1:
            return self.filter(_behind(position))
        # Of "less" PostgreSQL expects no row of the same first key, and would sort them all.
        return self.filter(self._row_from(position)).exclude(pk=marker["id"])

    @property
    def may_be_slow(self) -> bool:
        """Whether more rows may have to be looked at than are shown: no index has this order."""
        keys = [key for key in self.order if key.name not in self.held]
        if self.is_few or not keys:
            return False
        first = keys[0].name
        return (
            first == "expires_at"
            or len({key.descending for key in keys}) > 1
            or not self.compared <= {first}
            or self._held_before(first) is None
        )

    @property
    def _vendor(self) -> str:
        return str(connections[self.db].vendor)

    def _held_before(self, column: str) -> Sequence[str] | None:
        """The held columns that stand before this one in an index: as many as an index has.

        ``None`` if each index that has the column begins with one that is not held.
        """
        indexes = [["id"], *(list(index.fields) for index in self.model._meta.indexes)]
        before = [names[: names.index(column)] for names in indexes if column in names]
        return max((each for each in before if self.held.keys() >= {*each}), key=len, default=None)

    def _row_from(self, position: Position) -> Lookup[Any]:
        """``(k1, k2, …) <= (a, b, …)`` where descending.

        PostgreSQL and SQLite begin inside an index with this, MariaDB with :func:`_behind`.
        """
        columns = [F(key.column) for key, _ in position]
        values = [
            Value(value, cast("models.Field[Any, Any]", self.model._meta.get_field(key.name)))
            for key, value in position
        ]
        # As a lookup: around any other expression Django may write "= True", and no index is used.
        from_there = LessThanOrEqual if position[0][0].descending else GreaterThanOrEqual
        return from_there(_row(columns), _row(values))

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]  # unknown to the stubs
        clone.held, clone.compared, clone.is_few = self.held, self.compared, self.is_few
        clone.order = self.order
        return clone


def or_never(column: str, vendor: str) -> Coalesce:
    """A column of times, with ``NEVER`` where it is null."""
    never: Any = Value(NEVER, output_field=models.DateTimeField())
    if vendor == "mysql":
        # Else it compares the times as text, with and without a fraction.
        never = Cast(never, models.DateTimeField())
    return Coalesce(column, never)


def _unlikely(condition: Lookup[Any]) -> Func:
    """The condition, with a word for SQLite's planner that one row in ten thousand meets it."""
    return Func(
        condition,
        template="likelihood(%(expressions)s, 0.0001)",
        output_field=models.BooleanField(),
    )


def _row(members: Sequence[F | Value]) -> Func:
    return Func(*members, function="", output_field=models.BooleanField())


def _behind(position: Position) -> Q:
    """``k1 <= a AND (k1 < a OR (k1 = a AND …))`` where descending, whatever the others' directions.

    The leading comparison looks redundant: with it PostgreSQL begins inside an index here too.
    """
    (key, value), *rest = position
    ahead = "lt" if key.descending else "gt"
    behind = Q((f"{key.column}__{ahead}", value))
    if not rest:
        return behind
    return Q((f"{key.column}__{ahead}e", value)) & (behind | Q((key.column, value)) & _behind(rest))
