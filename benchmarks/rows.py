"""The tasks in the tables, which are always the same for the same number of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from benchmarks.users import MEASURED_OWNER
from django_image_tasks.models import Task

START = datetime(2026, 1, 1, tzinfo=UTC)
SPREAD = timedelta(hours=48)
EXPIRED = datetime(2026, 2, 1, tzinfo=UTC)
KEPT = timedelta(days=36_500)
"""A task expires so long after its end that no table changes while it is measured."""
OWNERS = 50

INPUT = json.dumps(
    {
        "import_from": "https://images.example.org/noble/noble-server-cloudimg-amd64.img",
        "import_from_format": "qcow2",
        "image_properties": {"name": "noble-server-cloudimg", "container_format": "bare"},
    }
)
RESULT = json.dumps(
    {
        "image_id": "ID",
        "name": "noble-server-cloudimg",
        "location": "images/ID/ID-1",
        "size": 612_368_384,
        "virtual_size": 3_758_096_384,
        "disk_format": "qcow2",
        "container_format": "bare",
        "checksum": "0123456789abcdef" * 2,
        "os_hash_algo": "sha512",
        "os_hash_value": "0123456789abcdef" * 8,
    }
)


class Rows:
    """An iterable of tuples as the database takes them, in the order of ``columns``."""

    def __init__(
        self, connection: BaseDatabaseWrapper, count: int, *, start: datetime = START, seed: int = 1
    ) -> None:
        self.fields = Task._meta.concrete_fields
        self.columns = [str(field.column) for field in self.fields]
        self.uuid = lambda value: Task._meta.pk.get_db_prep_save(value, connection)
        # Every database takes a time as text, if it is in UTC and does not say so.
        self.start = start.replace(tzinfo=None)
        self.defaults = {
            field.column: field.get_db_prep_save(field.get_default(), connection)
            for field in self.fields
        }
        self.count, self.random = count, Random(seed)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        step = SPREAD / self.count
        for number in range(self.count):
            created_at = self.start + step * (number + self.random.random())
            row = self.defaults | self._row(number, created_at)
            yield tuple(row[column] for column in self.columns)

    def _row(self, number: int, created_at: datetime) -> dict[str, Any]:
        pk = UUID(int=self.random.getrandbits(128), version=4)
        owner = str(self._owner(number))
        row = {
            "id": self.uuid(pk),
            "name": f"image {number}",
            "type": "import",
            "owner": owner,
            "user_id": owner,
            "request_id": f"req-{pk}",
            "image_id": "" if number % 10 else str(UUID(int=number // 50)),
            "input": INPUT,
            "created_at": str(created_at),
        }
        return row | self._outcome(self._status(number), created_at, pk)

    def _owner(self, number: int) -> int:
        return self.random.randint(1, OWNERS) if number % 10 else MEASURED_OWNER

    def _status(self, number: int) -> str:
        """Of all tasks 5 % are pending, 5 % processing, 70 % succeeded and 20 % failed.

        The older half has ended altogether, and a fifth of the newer half has not.
        """
        draw = self.random.random()
        if number >= self.count // 2 and draw < 0.2:
            return "pending" if draw < 0.1 else "processing"
        return "success" if self.random.random() < 7 / 9 else "failure"

    def _outcome(self, status: str, created_at: datetime, pk: UUID) -> dict[str, Any]:
        started_at, ended_at = created_at + timedelta(seconds=1), created_at + timedelta(minutes=1)
        row: dict[str, Any] = {"status": status, "updated_at": str(created_at)}
        if status == "pending":
            return row | {"lease_expires_at": str(ended_at + KEPT)}
        row |= {"started_at": str(started_at), "attempts": 1}
        if status == "processing":
            return row | {"lease_expires_at": str(ended_at + KEPT), "progress": 42}
        row |= {
            "updated_at": str(ended_at),
            "finished_at": str(ended_at),
            "expires_at": str(ended_at + KEPT),
            "lease_expires_at": None,
        }
        if status == "failure":
            return row | {"message": "Source answered 404 Not Found"}
        return row | {"progress": 100, "result": RESULT.replace("ID", str(pk))}
