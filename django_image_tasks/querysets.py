from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from django.db import connections, models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import Col, OrderBy
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThanOrEqual, Lookup
from django.db.models.query import ValuesListIterable

from django_image_tasks.states import UNFINISHED, Status

if TYPE_CHECKING:
    from django_image_tasks.models import Task  # noqa: F401 (in a string below)

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for a time that is not set, where rows are put in order."""
LONE = ("user_id", "image_id", "request_id")
"""Columns whose index is of no use to another filter."""
FEW = 1_000
"""So many rows are rather sorted than looked for in the order of an index."""


class SortKey(NamedTuple):
    """A column of an ordering, with its direction."""

    name: str
    descending: bool

    @property
    def column(self) -> str:
        return "expires_at_or_never" if self.name == "expires_at" else self.name

    @property
    def term(self) -> str:
        """As ``order_by`` takes it."""
        return f"-{self.column}" if self.descending else self.column

    @property
    def unindexed_term(self) -> OrderBy:
        """The same order, which no index is seen to have."""
        return OrderBy(Coalesce(self.column, self.column), descending=self.descending)


Position = Sequence[tuple[SortKey, Any]]
"""Where a row stands: the keys of an ordering, and its values."""


class Text(Func):
    """A column as the database itself writes it."""

    template = "CAST(%(expressions)s AS text)"
    output_field = models.TextField()

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS char)")


class RowIterable(ValuesListIterable):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[Any]:
        row: Any = _row_class(self.queryset.columns)  # type: ignore[attr-defined]
        return map(row._make, super().__iter__())


@cache
def _row_class(columns: tuple[str, ...]) -> type:
    return namedtuple("Row", columns)


class TaskQuerySet(models.QuerySet["Task"]):
    ordering: Sequence[SortKey] = ()
    columns: Sequence[str] = ()
    compared: frozenset[str] = frozenset()
    """The columns of which a filter lets more than one value through."""
    is_few = False

    def visible_to(self, owner: str | None, *, every_owner: bool = False) -> Self:
        """What this owner may see. Nobody (``None``) sees nothing, whatever else is granted."""
        if owner is None:
            return self.none()
        return self if every_owner else self.filter(owner=owner)

    def unexpired(self, now: datetime) -> Self:
        # For "IS NULL OR > …" MariaDB and SQLite took the index on expires_at, with all its rows.
        return self.filter(GreaterThan(self._expires_at_or_never(), now))

    def expired(self, now: datetime) -> Self:
        return self.filter(expires_at__lte=now)

    def stale(self, now: datetime) -> Self:
        """Unfinished, and overdue with whoever has it: a worker, or the queue."""
        return self.filter(status__in=UNFINISHED, lease_expires_at__lte=now)

    def held_by(self, worker: str, attempt: int) -> Self:
        """What this worker runs in this attempt, for as long as nobody else took it over."""
        return self.filter(status=Status.PROCESSING, lease_owner=worker, attempts=attempt)

    def with_pk(self, pk: Any) -> Self:
        """At most one row, for an UPDATE that finds it by its primary key.

        MariaDB might find it by its status too, and lock that index and the row in an order in
        which another UPDATE locks them the other way round: a deadlock.
        """
        rows = self.filter(pk=pk)
        return rows._not_by_index("status") if connections[self.db].vendor == "mysql" else rows

    def with_any(self, column: str, values: Sequence[Any]) -> Self:
        """The rows that have one of these values in a column that has an index of its own."""
        if len(values) == 1:
            rows = self.filter((column, values[0]))
            # SQLite knows only how many rows a value has on average, and reads all of the owner's.
            if column in LONE and connections[self.db].vendor == "sqlite":
                return rows._not_by_index("owner", "status", "type")
            return rows
        found = self.model._default_manager.using(self.db).filter((f"{column}__in", values))
        ids = list(found.values_list("pk", flat=True)[: FEW + 1])
        if len(ids) <= FEW:
            return self.among(ids)
        return self.compare(column, Q((f"{column}__in", values)))

    def compare(self, column: str, condition: Q) -> Self:
        """The rows whose column is as the condition says; it may hold for many values."""
        rows = self.filter(condition)
        rows.compared = self.compared | {column}
        return rows

    def among(self, ids: Sequence[Any]) -> Self:
        """Those of the rows that have one of these ids, of which there are few.

        PostgreSQL looked for a thousand of them in the order of the list, through the whole table.
        """
        rows = self.filter(pk__in=ids)
        rows.is_few = True
        return rows

    def _not_by_index(self, *columns: str) -> Self:
        """The same rows, so that what a filter holds these columns at is looked up in no index."""
        rows: Self = self.all()
        where: Any = rows.query.where
        where.children = [
            Exact(Text(each.lhs), each.rhs) if _held_column(each) in columns else each
            for each in where.children
        ]
        return rows

    def _expires_at_or_never(self) -> Coalesce:
        never: Any = Value(NEVER, output_field=models.DateTimeField())
        if connections[self.db].vendor == "mysql":
            # Else it compares the times as text, with and without a fraction.
            never = Cast(never, models.DateTimeField())
        return Coalesce("expires_at", never)

    def in_order(self, ordering: Sequence[SortKey]) -> Self:
        """Sort by these keys. A null comes after every value, and so first where descending."""
        rows = self
        if any(key.name == "expires_at" for key in ordering):
            rows = rows.alias(expires_at_or_never=self._expires_at_or_never())
        # MariaDB would sort again for a key that a filter holds at one value.
        constants = self._constants()
        keys = [key for key in ordering if key.name not in constants]
        rows = rows.order_by(*(key.unindexed_term if self.is_few else key.term for key in keys))
        rows.ordering = ordering
        return rows

    @property
    def may_be_slow(self) -> bool:
        """Whether more rows may have to be looked at than are shown: no index has this order."""
        constants = self._constants()
        keys = [key for key in self.ordering if key.name not in constants]
        if self.is_few or not keys:
            return False
        first = keys[0].name
        indexes = [["id"], *(index.fields for index in self.model._meta.indexes)]
        prefixes = [names[: names.index(first)] for names in indexes if first in names]
        return (
            first == "expires_at"
            or len({key.descending for key in keys}) > 1
            or not self.compared <= {first}
            or not any(constants.keys() >= set(prefix) for prefix in prefixes)
        )

    def after(self, marker: Mapping[str, Any]) -> Self:
        """The rows behind ``marker`` (name → value) in the total order of :meth:`in_order`."""
        constants = self._constants()
        position = [
            (key, NEVER if marker[key.name] is None else marker[key.name])
            for key in self.ordering
            if key.name not in constants or constants[key.name] != marker[key.name]
        ]
        if not position:
            return self.none()
        if connections[self.db].vendor == "mysql":
            return self._within_index(position[0][0]).filter(_behind(position))
        if len({key.descending for key, _ in position}) > 1:
            return self.filter(_behind(position))
        # Of "less" PostgreSQL expects no row of the same first key, and would sort them all.
        return self.filter(self._row_from(position)).exclude(pk=marker["id"])

    def _within_index(self, first: SortKey) -> Self:
        """The same rows, so that MariaDB starts inside an index with constants before ``first``.

        With an equality for a value that many rows have, it reads them all up to the marker; with
        a range it does not, if the order names the column too.
        """
        constants = self._constants()
        rows: Self = self.all()
        where = rows.query.where
        prefix = self._index_prefix(first.name, constants)
        where.children = [each for each in where.children if _held_column(each) not in prefix]
        for name in prefix:
            rows = rows.filter((f"{name}__gte", constants[name]), (f"{name}__lte", constants[name]))
        terms = [SortKey(name, first.descending).term for name in prefix]
        return rows.order_by(*terms, *self.query.order_by)

    def _index_prefix(self, column: str, constants: Mapping[str, Any]) -> Sequence[str]:
        """The constants that most columns of an index before this one are."""
        indexes = [list(index.fields) for index in reversed(self.model._meta.indexes)]
        before = [names[: names.index(column)] for names in indexes if column in names]
        return max((each for each in before if constants.keys() >= set(each)), key=len, default=[])

    def _row_from(self, position: Position) -> Lookup[Any]:
        """``(k1, k2, …) <= (a, b, …)`` where descending.

        PostgreSQL and SQLite start inside an index with this, MariaDB with :func:`_behind`.
        """
        columns = [F(key.column) for key, _ in position]
        values = [
            Value(value, cast("models.Field[Any, Any]", self.model._meta.get_field(key.name)))
            for key, value in position
        ]
        # As a lookup: around any other expression Django may write "= True", and no index is used.
        from_there = LessThanOrEqual if position[0][0].descending else GreaterThanOrEqual
        return from_there(_row(columns), _row(values))

    def rows(self, columns: Sequence[str]) -> Self:
        """Named tuples of these columns; the ids and times among them as the database writes them.

        Making objects of those took more than half of the time of a long list.
        """
        # A host may have made the database keep local time, which is not what it is to write.
        as_text = self._objects() if connections[self.db].timezone == UTC else set()
        names = [Text(name) if name in as_text else name for name in columns]
        rows: Self = self.values_list(*names)  # type: ignore[assignment]
        rows.columns = tuple(columns)
        rows._iterable_class = RowIterable
        return rows

    def _objects(self) -> set[str]:
        kinds = models.DateTimeField, models.UUIDField
        return {field.name for field in self.model._meta.fields if isinstance(field, kinds)}

    def _constants(self) -> dict[str, Any]:
        """The columns that a filter holds at one value."""
        conditions: list[Any] = self.query.where.children
        return {name: each.rhs for each in conditions if (name := _held_column(each))}

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]  # unknown to the stubs
        clone.ordering, clone.columns = self.ordering, self.columns
        clone.compared, clone.is_few = self.compared, self.is_few
        return clone


def _held_column(condition: Any) -> str | None:
    """The column that this condition holds at one value."""
    if isinstance(condition, Exact) and isinstance(condition.lhs, Col):
        return str(condition.lhs.target.name)
    return None


def _row(members: Sequence[F | Value]) -> Func:
    return Func(*members, function="", output_field=models.BooleanField())


def _behind(position: Position) -> Q:
    """``k1 <= a AND (k1 < a OR (k1 = a AND …))`` where descending, whatever the others' directions.

    The leading comparison looks redundant: with it PostgreSQL starts inside an index here too.
    """
    (key, value), *rest = position
    ahead = "lt" if key.descending else "gt"
    behind = Q((f"{key.column}__{ahead}", value))
    if not rest:
        return behind
    return Q((f"{key.column}__{ahead}e", value)) & (behind | Q((key.column, value)) & _behind(rest))
