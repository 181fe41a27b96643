"""SQL that is put together once for each shape of a query, and run again with other values.

Django writes the SQL of a query anew each time, which takes longer than most of ours take to run.
Here it writes it once, with a :class:`Slot` in the place of each value. What differs in anything
but values has another shape, and SQL of its own. ``KEEP_SQL`` switches this off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import islice
from types import SimpleNamespace
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import Value
from django.db.models.sql import InsertQuery, Query

from django_image_tasks.conf import conf

Row = TypeVar("Row", bound=models.Model)

MOST = 1_000
"""So many shapes are kept, those that were used last. A page's takes 9 to 11 KiB, a task's 14, and
one with twenty conditions more 45."""

Bound = tuple["models.Field[Any, Any]", Any]
"""A value, behind the field that says how the database takes it."""


class Slot(Value):
    """The place of a value: the one with this number, in the form in which the field sends it."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def prepared(self, values: Sequence[Any], connection: Any) -> Any:
        field: Any = self.output_field
        value = field.get_prep_value(values[self.value])
        return field.get_db_prep_value(value, connection, prepared=True)


class Statement:
    """The SQL of a queryset of tuples."""

    names: Sequence[str] = ()
    """The parameters' names, where the SQL has such."""

    def __init__(self, rows: models.QuerySet[Any]) -> None:
        self.using = rows.db
        compiler = rows.query.get_compiler(self.using)
        try:
            self.sql, self.params = compiler.as_sql()
        except EmptyResultSet:
            self.sql = ""
            return
        self.columns = [column for column, *_ in compiler.select]
        self.sql, self.names = _named(self.using, self.sql, len(self.params))

    def run(self, values: Sequence[Any]) -> Any:
        if not self.sql:
            return []
        connection = connections[self.using]
        params = filled(self.params, values, connection)
        with connection.cursor() as cursor:
            _execute(cursor, self.sql, self.names, params)
            rows = cursor.fetchall()
        # They are a connection's own, and to look for them takes as long as SQLite takes for a row.
        kept = connection.__dict__.setdefault("image_tasks_converters", WeakKeyDictionary())
        if self not in kept:
            compiler = Query(None).get_compiler(connection=connection)
            converters = compiler.get_converters(self.columns)
            convert = partial(compiler.apply_converters, converters=converters)
            kept[self] = convert if converters else iter
        return kept[self](rows)


def _named(using: str, sql: str, count: int) -> tuple[str, Sequence[str]]:
    """The same SQL with names for its parameters, where that is faster; and these names."""
    if not count or connections[using].vendor != "sqlite":
        return sql, ()
    # Django looks for each "%s" with a regular expression, which takes as long as a query.
    names = [f"p{number}" for number in range(count)]
    return sql.replace("%%", "%%%%") % tuple(f"%({name})s" for name in names), names


def _execute(cursor: Any, sql: str, names: Sequence[str], params: Sequence[Any]) -> None:
    cursor.execute(sql, dict(zip(names, params, strict=True)) if names else params)


def filled(params: Sequence[Any], values: Sequence[Any], connection: Any) -> list[Any]:
    """The parameters of a query, with a value in the place of each :class:`Slot`."""
    return [
        param.prepared(values, connection) if isinstance(param, Slot) else param for param in params
    ]


def fetch(using: str, build: Callable[..., Any], *shape: Any, bound: Sequence[Bound]) -> Any:
    """The rows of the queryset of tuples that ``build(using, *shape, values)`` returns.

    What ``build`` does may depend on the database and the shape, but not on the values.
    """
    values = [value for _, value in bound]
    if not conf.KEEP_SQL:
        return build(using, *shape, values)
    return kept_statement(using, build, shape, tuple(field for field, _ in bound)).run(values)


@lru_cache(maxsize=MOST)
def kept_statement(using: str, build: Any, shape: tuple[Any, ...], fields: Any) -> Statement:
    return Statement(build(using, *shape, [Slot(*place) for place in enumerate(fields)]))


def insert(using: str, model: Any, bound: Sequence[Bound]) -> None:
    """Insert a row of these values, of which none is an expression."""
    connection = connections[using]
    params = [field.get_db_prep_save(value, connection) for field, value in bound]
    sql, names = _kept_insert(using, model, tuple(field.attname for field, _ in bound))
    with connection.cursor() as cursor:
        _execute(cursor, sql, names, params)


@lru_cache
def _kept_insert(using: str, model: Any, columns: Sequence[str]) -> tuple[str, Sequence[str]]:
    query = InsertQuery(model)
    row: Any = SimpleNamespace(**dict.fromkeys(columns))
    query.insert_values(list(map(model._meta.get_field, columns)), [row])
    [(sql, params)] = query.get_compiler(using).as_sql()
    return _named(using, sql, len(params))


Step = tuple[Callable[..., Any], tuple[Any, ...], int]
"""A function from rows to rows, what it is told beside them, and how many values it takes."""


class SteppedQuerySet(models.QuerySet[Row]):
    """A queryset made in steps, which are put off until its rows or its query are asked for.

    If nothing but steps made it, its rows come from a kept :class:`Statement`. Any other method
    of a queryset takes the steps at once, and goes on from there in Django's ordinary way.
    """

    steps: tuple[Step, ...] | None = None
    """What is put off; ``None`` once the ordinary way was taken."""
    bound: tuple[Bound, ...] = ()

    def __init__(self, model: Any = None, query: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(model, query, *args, **kwargs)
        self.steps = () if query is None else None

    def then(self, step: Callable[..., Any], *how: Any, values: Sequence[tuple[str, Any]]) -> Self:
        """The rows that ``step(rows, *how, *values)`` leaves; a value comes with its column.

        What the step does may depend on the database and on ``how``, but not on the values.
        """
        if self.steps is None:
            return step(self, *how, *(value for _, value in values))  # type: ignore[no-any-return]
        rows = self.all()
        field: Any = self.model._meta.get_field
        rows.steps = (*self.steps, (step, how, len(values)))
        rows.bound = (*self.bound, *((field(column), value) for column, value in values))
        return rows

    def up_to(self, count: int) -> Self:
        """The first rows, at most so many of them."""
        return self.then(_up_to, count, values=())

    def all(self) -> Self:
        if self.steps is None:
            return super().all()
        rows = self.__class__.__new__(self.__class__)
        rows.__dict__ = {**self.__dict__, "_result_cache": None}
        return rows

    @property
    def query(self) -> Any:
        if self.steps:
            values = [value for _, value in self.bound]
            self._query = _taken(self.db, self.__class__, self.model, self.steps, values).query
        self.steps = None
        return super().query

    @query.setter
    def query(self, value: Any) -> None:
        self.steps = None
        models.QuerySet.query.fset(self, value)  # type: ignore[attr-defined]

    def get_row_maker(self, using: str) -> Callable[[Any], Any]:
        """What makes a row of the tuple that was read."""
        return partial(self.model.from_db, using, columns(self.model))

    def _fetch_all(self) -> None:
        if self._result_cache is None and self.steps and conf.KEEP_SQL:
            shape = self.__class__, self.model, self.steps
            rows = fetch(self.db, _tuples, *shape, bound=self.bound)
            self._result_cache = list(map(self.get_row_maker(self.db), rows))
        super()._fetch_all()


def _taken(using: str, cls: Any, model: Any, steps: Sequence[Step], values: Sequence[Any]) -> Any:
    rows, remaining = cls(model, Query(model), using), iter(values)
    for step, how, count in steps:
        rows = step(rows, *how, *islice(remaining, count))
    return rows


def _tuples(using: str, cls: Any, model: Any, steps: Any, values: Sequence[Any]) -> Any:
    rows = _taken(using, cls, model, steps, values)
    return rows if rows._fields else rows.values_list(*columns(model))


@lru_cache
def columns(model: Any) -> list[str]:
    """The attributes that hold a row's columns, as ``from_db`` takes them."""
    return [field.attname for field in model._meta.concrete_fields]


def _up_to(rows: Any, count: int) -> Any:
    return rows[:count]
