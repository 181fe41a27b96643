from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from django_image_tasks.states import UNFINISHED, Status

if TYPE_CHECKING:
    from django_image_tasks.models import Task

NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for a time that is not set, where rows are put in order."""


_LOOKUPS = {
    "at": ("exact", "exact"),
    "before": ("lt", "gt"),
    "until": ("lte", "gte"),
    "since": ("gte", "lte"),
    "after": ("gt", "lt"),
}
"""Relation to a value → lookup where ascending, where descending."""


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

    @classmethod
    def from_term(cls, term: str) -> Self:
        name = term.removeprefix("-")
        return cls("expires_at" if name == "expires_at_or_never" else name, name != term)

    def where(self, relation: str, value: Any) -> Q:
        """The rows that stand in this relation to ``value``, in the key's direction."""
        return Q((f"{self.column}__{_LOOKUPS[relation][self.descending]}", value))


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, owner: str | None, *, every_owner: bool = False) -> Self:
        """What this owner may see. Nobody (``None``) sees nothing, whatever else is granted."""
        if owner is None:
            return self.none()
        return self if every_owner else self.filter(owner=owner)

    def unexpired(self, now: datetime) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now))

    def expired(self, now: datetime) -> Self:
        return self.filter(expires_at__lte=now)

    def stale(self, now: datetime) -> Self:
        """Unfinished, and overdue with whoever has it: a worker, or the queue."""
        return self.filter(status__in=UNFINISHED, lease_expires_at__lte=now)

    def held_by(self, worker: str, attempt: int) -> Self:
        """What this worker runs in this attempt, for as long as nobody else took it over."""
        return self.filter(status=Status.PROCESSING, lease_owner=worker, attempts=attempt)

    def in_order(self, ordering: Sequence[SortKey]) -> Self:
        """Sort by these keys. A null comes after every value, and so first where descending."""
        return self._comparable(ordering).order_by(*(key.term for key in ordering))

    @property
    def ordering(self) -> list[SortKey]:
        """The keys that :meth:`in_order` was given."""
        return [SortKey.from_term(term) for term in self.query.order_by]

    def after(self, marker: Mapping[str, Any], ordering: Sequence[SortKey]) -> Self:
        """The rows behind ``marker`` (name → value) in a total ``ordering``.

        Reads ``k1 <= a AND NOT (k1 = a AND (k2 > b OR (k2 = b AND …)))`` where descending. The
        leading comparison looks redundant: it lets a database start inside its index.
        """
        (first, value), *rest = [
            (key, NEVER if marker[key.name] is None else marker[key.name]) for key in ordering
        ]
        rows = self._comparable(ordering)
        if not rest:
            return rows.filter(first.where("after", value))
        passed = first.where("at", value) & _until(rest)
        return rows.filter(first.where("since", value), ~passed)

    def _comparable(self, ordering: Sequence[SortKey]) -> Self:
        if any(key.column == "expires_at_or_never" for key in ordering):
            never = Value(NEVER, output_field=models.DateTimeField())
            return self.alias(expires_at_or_never=Coalesce("expires_at", never))
        return self


def _until(position: Sequence[tuple[SortKey, Any]]) -> Q:
    """The rows at or before a position."""
    (key, value), *rest = position
    if not rest:
        return key.where("until", value)
    return key.where("before", value) | (key.where("at", value) & _until(rest))
