"""The queries for tasks that the other modules make, in the words of the business."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import connections, models, router
from django.db.models import Func, Q, Subquery
from django.db.models.lookups import GreaterThan
from django.db.models.query import ValuesListIterable

from django_image_tasks.clock import DatabaseNow
from django_image_tasks.keyset import KeysetQuerySet, or_never, vendor_of
from django_image_tasks.statements import fetch
from django_image_tasks.states import UNFINISHED, Status

if TYPE_CHECKING:
    from django_image_tasks.models import Task  # noqa: F401 (in a string below)


class Text(Func):
    """A column as the text that the database writes for it."""

    template = "CAST(%(expressions)s AS text)"
    output_field = models.TextField()

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS char)")


class RowIterable(ValuesListIterable):  # type: ignore[type-arg]
    """Makes a named tuple of each row that was read."""

    def __iter__(self) -> Iterator[Any]:
        row: Any = _row_class(self.queryset.columns)  # type: ignore[attr-defined]
        return map(row._make, super().__iter__())


@cache
def _row_class(columns: tuple[str, ...]) -> type:
    return namedtuple("Row", columns)


class TaskQuerySet(KeysetQuerySet["Task"]):
    """Tasks, and how to find those of an owner, the expired and the stale ones."""

    columns: tuple[str, ...] = ()
    """The columns of :meth:`rows`, if that was called."""

    def visible_to(self, owner: str | None, *, every_owner: bool = False) -> Self:
        """The tasks that this owner may see: their own, or with ``every_owner`` all of them.

        Nobody (``None``) sees any task, not even with ``every_owner``.
        """
        if owner is None:
            return self.none()
        return self if every_owner else self.hold("owner", owner)

    def unexpired(self, now: datetime) -> Self:
        """The tasks that the API shows: those that never expire, or not yet."""
        # "IS NULL OR > …" made MariaDB and SQLite read all that is unexpired through the index
        # on expires_at. No index serves this form, so they take the one with the list's order.
        return self.then(_unexpired, values=[("expires_at", now)])

    def expired(self, now: datetime) -> Self:
        """The tasks that the API shows no more."""
        return self.filter(expires_at__lte=now)

    def has_result_of(self, task_id: UUID, attempt: int) -> bool:
        """Whether this attempt succeeded after all. Then nothing of it may be removed."""
        return self.filter(pk=task_id, status=Status.SUCCESS, attempts=attempt).exists()

    def purgeable(self, now: datetime) -> Self:
        """The expired tasks that a purge deletes, which are those whose end has been announced."""
        return self.expired(now).filter(announce_at=None)

    def stale(self, now: datetime) -> Self:
        """The unfinished tasks whose deadline has passed: the sweep will see to them."""
        return self.filter(status__in=UNFINISHED, lease_expires_at__lte=now)

    def lost(self) -> Self:
        """The tasks whose worker has let its lease run out."""
        return self.filter(status=Status.PROCESSING, lease_expires_at__lte=DatabaseNow())

    def unannounced(self) -> Self:
        """The finished tasks whose receivers are to be told (again)."""
        return self.filter(announce_at__lte=DatabaseNow())

    def for_deciding(self) -> Self:
        """The tasks as they are where they are written. A replica may be late."""
        rows: Any = self.all()
        rows._db = router.db_for_write(self.model)
        return rows  # type: ignore[no-any-return]

    def waiting(self, **values: Any) -> Self:
        """The tasks that are due and wait for a worker, in the order of their turns."""
        due = self.filter(turn__isnull=False, status__unindexed=Status.PENDING, **values)
        return due.order_by("turn", "created_at", "id")

    def next_waiting(self, types: Sequence[str]) -> Self:
        """The task of one of these types whose turn it is, alone."""
        return self.then(_waiting, tuple(types), values=()).up_to(1)

    def due(self) -> Self:
        """The pending tasks that need not wait for another time, with or without a turn."""
        is_due = Q(available_at=None) | Q(available_at__lte=DatabaseNow())
        return self.filter(is_due, status=Status.PENDING)

    def without_turn(self) -> Self:
        """The tasks that have become due and do not wait for their turn yet, the oldest first."""
        overdue = self.filter(status=Status.PENDING, lease_expires_at__lte=DatabaseNow())
        return overdue.order_by("lease_expires_at")

    def lowest_turn(self) -> int:
        """The turn of the task that is started next; 0 if none waits."""
        return self.waiting().values_list("turn", flat=True).first() or 0

    def next_turn(self, owner: str) -> int:
        """The turn of this owner's next task, by which the owners start their tasks alternately.

        It is one more than the owner's own last, and never lower than what is started next
        (start-time fair queueing).
        """
        bound = [(self.model._meta.get_field("owner"), owner)]
        turn, own = next(iter(fetch(self.db, _turns, self.model, bound=bound)), (0, None))
        return turn or 0 if own is None else max(turn or 0, own + 1)

    def rows(self, columns: Sequence[str], *, as_text: bool = True) -> Self:
        """Named tuples of these columns, with ids and times as text, as the database writes them.

        Making UUIDs and datetimes of them took more than half of the time of a long list.
        """
        rows = self.then(_columns, tuple(columns), as_text, values=())
        rows.columns = tuple(columns)
        rows._iterable_class = RowIterable
        return rows

    def get_row_maker(self, using: str) -> Any:
        row: Any = _row_class(self.columns)
        return row._make if self.columns else super().get_row_maker(using)

    def _clone(self) -> Self:
        clone = super()._clone()
        clone.columns = self.columns
        return clone


def _waiting(tasks: TaskQuerySet, types: Sequence[str]) -> TaskQuerySet:
    # Without statistics SQLite would sort all the tasks of these types.
    lookup = "type__unindexed__in" if vendor_of(tasks) == "sqlite" else "type__in"
    return tasks.waiting(**{lookup: types})


def _turns(using: str, model: Any, values: Sequence[Any]) -> Any:
    rows = model.objects.using(using)
    last = rows.filter(owner=values[0], turn__isnull=False).order_by("-turn").values("turn")[:1]
    return rows.waiting().annotate(own=Subquery(last)).values_list("turn", "own")[:1]


def _unexpired(rows: Any, now: datetime) -> Any:
    return rows.filter(GreaterThan(or_never("expires_at", vendor_of(rows)), now))


def _columns(rows: Any, columns: Sequence[str], as_text: bool) -> Any:
    kinds = models.DateTimeField, models.UUIDField
    # With TIME_ZONE in DATABASES the text would be local time. Then there are datetimes.
    is_text = as_text and connections[rows.db].timezone == UTC
    fields = rows.model._meta.fields if is_text else ()
    texts = {field.name for field in fields if isinstance(field, kinds)}
    return rows.values_list(*(Text(name) if name in texts else name for name in columns))
