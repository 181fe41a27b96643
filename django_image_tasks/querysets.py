"""The questions that are asked about tasks."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from django.db import connections, models
from django.db.models import Func
from django.db.models.lookups import GreaterThan
from django.db.models.query import ValuesListIterable

from django_image_tasks.keyset import KeysetQuerySet, or_never
from django_image_tasks.states import UNFINISHED, Status

if TYPE_CHECKING:
    from django_image_tasks.models import Task  # noqa: F401 (in a string below)


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


class TaskQuerySet(KeysetQuerySet["Task"]):
    columns: Sequence[str] = ()

    def visible_to(self, owner: str | None, *, every_owner: bool = False) -> Self:
        """What this owner may see. Nobody (``None``) sees nothing, whatever else is granted."""
        if owner is None:
            return self.none()
        return self if every_owner else self.hold("owner", owner)

    def unexpired(self, now: datetime) -> Self:
        # For "IS NULL OR > …" MariaDB and SQLite took the index on expires_at, with all its rows.
        return self.filter(GreaterThan(or_never("expires_at", self._vendor), now))

    def expired(self, now: datetime) -> Self:
        return self.filter(expires_at__lte=now)

    def stale(self, now: datetime) -> Self:
        """Unfinished, and overdue with whoever has it: a worker, or the queue."""
        return self.filter(status__in=UNFINISHED, lease_expires_at__lte=now)

    def held_by(self, worker: str, attempt: int) -> Self:
        """What this worker runs in this attempt, for as long as nobody else took it over."""
        running = self.filter(status__unindexed=Status.PROCESSING)
        return running.filter(lease_owner=worker, attempts=attempt)

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

    def _clone(self) -> Self:
        clone = super()._clone()
        clone.columns = self.columns
        return clone
