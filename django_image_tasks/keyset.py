"""Lists by keyset: an order, and the page behind a marker, which begins inside an index.

A page is found by the values of the task before it, its marker, and not by counting rows. Each
database needs a condition of another form to begin at the marker instead of reading all the rows
before it. All these forms are in this file, with times measured at 100,000 tasks and what is lost
without them; tests/wire/test_plans.py counts the rows that are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, Self, TypeVar

from django.db import connections, models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThanOrEqual

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.statements import SteppedQuerySet

Row = TypeVar("Row", bound=models.Model)

SORT_KEYS = ("created_at", "id", "name", "type", "status", "owner", "updated_at", "expires_at")
DIRECTIONS = {"asc": False, "desc": True, "": True}
TIE_BREAKERS = ("created_at", "id")

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Takes the place of a time that is null, so that it can be compared and sorted."""
FEW = 1_000
"""Up to this many rows are sorted, instead of being looked for in the order of an index."""


class SortKey(NamedTuple):
    """A column of an order, with its direction."""

    name: str
    descending: bool

    @property
    def column(self) -> str:
        """The column to compare and sort by. Databases differ in where a null comes."""
        return "expires_at_or_never" if self.name == "expires_at" else self.name

    def term(self, *, by_index: bool = True) -> OrderBy:
        """The key for ``order_by``; without ``by_index`` no index is seen to have this order."""
        column = F(self.column) if by_index else Coalesce(self.column, self.column)
        return OrderBy(column, descending=self.descending)


Position = Sequence[tuple[SortKey, Any]]
"""Where a row stands in an order: each key, with the row's value."""


def parse_order(
    keys: Sequence[str], directions: Sequence[str], sort: Sequence[str]
) -> list[SortKey]:
    """The order that the values of ``sort_key`` and ``sort_dir``, or those of ``sort``, ask for.

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


def _break_ties(order: Sequence[SortKey]) -> list[SortKey]:
    """Add the keys that break ties. Those behind the id, which is unique, are left out."""
    names = [key.name for key in order]
    ties = [SortKey(name, order[-1].descending) for name in TIE_BREAKERS if name not in names]
    order = [*order, *ties]
    return order[: 1 + [key.name for key in order].index("id")]


class KeysetQuerySet(SteppedQuerySet[Row]):
    """A queryset that knows its order, and which columns it was filtered by.

    ``hold``, ``compare``, ``among`` and ``any_of`` filter as ``filter`` does, and note what they
    did. ``in_order``, ``after`` and ``may_be_slow`` go by these notes.
    """

    held: Mapping[str, Any] = {}
    """The columns in which all rows have the same value, and that value."""
    compared: frozenset[str] = frozenset()
    """The columns that were filtered in another way. The rows may have many values in them."""
    is_few = False
    """Whether there are at most ``FEW`` rows."""
    order: Sequence[SortKey] = ()

    def hold(self, column: str, value: Any, *, is_rare: bool = False) -> Self:
        """The rows that have this value in a column; ``is_rare`` if few are expected to.

        MariaDB reads every row with ``status = x`` up to the marker. ``status >= x AND status <=
        x``, with ``status`` first in ORDER BY, makes it begin at the marker: 95 ms became 0.4 ms.
        SQLite knows only how many rows a value has on average. If most rows share one value, it
        reads all of an owner's for a rare one: 19 ms became 0.3 ms.
        """
        rows = self.then(_held, column, is_rare, values=[(column, value)])
        rows.held = {**self.held, column: value}
        return rows

    def compare(self, column: str, lookup: str, *values: Any) -> Self:
        """The rows that meet a condition on a column, which many values may meet.

        The lookup is one of Django's, or one behind ``not_``.
        """
        rows = self.then(_compared, column, lookup, values=[(column, value) for value in values])
        rows.compared = self.compared | {column}
        return rows

    def among(self, ids: Sequence[Any]) -> Self:
        """Those of the rows that have one of these ids, of which there are at most ``FEW``.

        They are sorted by an expression that no index has. Else PostgreSQL reads the whole table in
        the order of the list until it has met them: the 1000 oldest took 38 ms, and take 10 ms.
        """
        rows = self.then(_compared, "id", "in", values=[("id", pk) for pk in ids])
        rows.is_few = True
        return rows

    def with_id(self, pk: Any) -> Self:
        """The row with this id, if it is one of them."""
        return self.then(_compared, "id", "exact", values=[("id", pk)])

    def any_of(self, column: str, values: Sequence[Any]) -> Self:
        """The rows that have one of several values in a column that an index begins with.

        One query more looks for their ids. If there are few, no planner can take the index that has
        the list's order instead: values that no task has took SQLite 60 ms.
        """
        found = self.model._default_manager.using(self.db).filter((f"{column}__in", values))
        ids = list(found.values_list("pk", flat=True)[: FEW + 1])
        return self.among(ids) if len(ids) <= FEW else self.compare(column, "in", *values)

    def in_order(self, order: Sequence[SortKey]) -> Self:
        """Sort by these keys, then by ``created_at`` and ``id``: a total order.

        A null comes after every value, and so first where descending.
        """
        order = _break_ties(order)
        rows = self.then(_sorted, tuple(order), frozenset(self.held), self.is_few, values=())
        rows.order = order
        return rows

    def after(self, marker: Mapping[str, Any]) -> Self:
        """The rows behind ``marker`` (column → value) in the order of :meth:`in_order`."""
        keys = [
            key
            for key in self.order
            if key.name not in self.held or self.held[key.name] != marker[key.name]
        ]
        if not keys:
            return self.none()
        values = [
            (key.name, NEVER if marker[key.name] is None else marker[key.name]) for key in keys
        ]
        return self.then(_after, tuple(keys), values=[*values, ("id", marker["id"])])

    @property
    def may_be_slow(self) -> bool:
        """Whether no index serves this list, so that far more rows may be read than are shown."""
        held = frozenset(self.held)
        return not self.is_few and _is_slow(self.model, tuple(self.order), held, self.compared)

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]  # unknown to the stubs
        clone.held, clone.compared, clone.is_few = self.held, self.compared, self.is_few
        clone.order = self.order
        return clone


@cache
def _is_slow(
    model: Any, order: Sequence[SortKey], held: frozenset[str], compared: frozenset[str]
) -> bool:
    keys = [key for key in order if key.name not in held]
    return bool(keys) and (
        keys[0].name == "expires_at"
        or len({key.descending for key in keys}) > 1
        or not compared <= {keys[0].name}
        or _held_before(model, held, keys[0].name) is None
    )


def _held_before(model: Any, held: frozenset[str], column: str) -> Sequence[str] | None:
    """The columns before this one in an index that begins with held columns alone.

    Of several such indexes the one with the most counts. ``None`` if there is none.
    """
    indexes = [["id"], *(list(index.fields) for index in model._meta.indexes)]
    before = [names[: names.index(column)] for names in indexes if column in names]
    return max((each for each in before if held >= {*each}), key=len, default=None)


def vendor_of(rows: models.QuerySet[Any]) -> str:
    return str(connections[rows.db].vendor)


def or_never(column: str, vendor: str) -> Coalesce:
    """A column of times, with ``NEVER`` in place of null."""
    never: Any = Value(NEVER, output_field=models.DateTimeField())
    if vendor == "mysql":
        # Without it MariaDB compares times as text, where a whole second has no fraction: a page by
        # expires_at could begin with its own marker.
        never = Cast(never, models.DateTimeField())
    return Coalesce(column, never)


class RareExact(Exact):
    """An equality, of which SQLite's planner is told that one row in ten thousand meets it.

    It is a lookup because Django 6.1 writes "= 1" behind a function, and no index serves that.
    """

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        sql, params = self.as_sql(compiler, connection)
        return f"likelihood({sql}, 0.0001)", params


def _held(rows: Any, column: str, is_rare: bool, value: Any) -> Any:
    if vendor_of(rows) == "mysql":
        return rows.filter((f"{column}__gte", value), (f"{column}__lte", value))
    if vendor_of(rows) == "sqlite" and is_rare:
        return rows.filter(RareExact(F(column), value))
    return rows.filter((column, value))


def _compared(rows: Any, column: str, lookup: str, *values: Any) -> Any:
    lookup, is_not = lookup.removeprefix("not_"), lookup.startswith("not_")
    condition = Q((f"{column}__{lookup}", values if lookup in ("in", "range") else values[0]))
    return rows.filter(~condition if is_not else condition)


def _sorted(rows: Any, order: Sequence[SortKey], held: frozenset[str], is_few: bool) -> Any:
    if any(key.name == "expires_at" for key in order):
        rows = rows.alias(expires_at_or_never=or_never("expires_at", vendor_of(rows)))
    # A key in which all rows have the same value decides nothing; MariaDB would sort for it.
    keys = [key for key in order if key.name not in held]
    if keys and vendor_of(rows) == "mysql" and not is_few:
        before = _held_before(rows.model, held, keys[0].name) or ()
        keys = [*(SortKey(name, keys[0].descending) for name in before), *keys]
    return rows.order_by(*(key.term(by_index=not is_few) for key in keys))


def _after(rows: Any, keys: Sequence[SortKey], *values: Any) -> Any:
    """The rows behind a position; PostgreSQL and SQLite begin inside an index at ``(k1, k2, …) <=
    (a, b, …)``, if all keys descend, and MariaDB at :func:`_behind`.

    It is not "<": where the first key has one value only, PostgreSQL then expects no row at all,
    takes another index, and sorts.
    """
    *position, pk = values
    if vendor_of(rows) == "mysql" or len({key.descending for key in keys}) > 1:
        return rows.filter(_behind(list(zip(keys, position, strict=True))))
    field = rows.model._meta.get_field
    members = [
        value if isinstance(value, Value) else Value(value, field(key.name))
        for key, value in zip(keys, position, strict=True)
    ]
    # A lookup, because Django 6.1 writes "= True" behind other expressions. No index serves
    # that: a page near the end took SQLite 48 ms.
    from_there = LessThanOrEqual if keys[0].descending else GreaterThanOrEqual
    columns = [F(key.column) for key in keys]
    return rows.filter(from_there(_row(columns), _row(members))).exclude(pk=pk)


def _row(members: Sequence[F | Value]) -> Func:
    return Func(*members, function="", output_field=models.BooleanField())


def _behind(position: Position) -> Q:
    """``k1 <= a AND (k1 < a OR (k1 = a AND …))`` where descending; each key has its own direction.

    The leading comparison is redundant, but no other lets PostgreSQL and SQLite begin inside an
    index: near the end of the list it makes 0.5 ms of 42 on the one, 0.3 ms of 20 on the other.
    """
    (key, value), *rest = position
    ahead = "lt" if key.descending else "gt"
    behind = Q((f"{key.column}__{ahead}", value))
    if not rest:
        return behind
    return Q((f"{key.column}__{ahead}e", value)) & (behind | Q((key.column, value)) & _behind(rest))
