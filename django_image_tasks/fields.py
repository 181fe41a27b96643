"""Columns that compare, sort and hold the same on every database."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


def is_mariadb(connection: BaseDatabaseWrapper) -> bool:
    """Whether this is MariaDB, and not MySQL, which Django calls by the same vendor."""
    return connection.vendor == "mysql" and bool(getattr(connection, "mysql_is_mariadb", False))


class CodePointField(models.CharField):  # type: ignore[type-arg]
    """Text that compares and sorts by code point on every database, trailing spaces included."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        return {**super().db_parameters(connection), "collation": self._collation(connection)}

    def _collation(self, connection: BaseDatabaseWrapper) -> str:
        if is_mariadb(connection):
            return "utf8mb4_nopad_bin"
        return {"postgresql": "C", "mysql": "utf8mb4_0900_bin"}.get(connection.vendor, "BINARY")


@CodePointField.register_lookup
class Unindexed(models.Transform):
    """A column that is compared without an index: ``filter(status__unindexed="pending")``.

    It is an expression too, for a time: ``Unindexed("lease_expires_at")``. MariaDB finds the row of
    an UPDATE by whichever index it likes. If one UPDATE finds it by status and another by primary
    key, they lock the index and the row in opposite orders. That is a deadlock, and MariaDB ends
    one of the two with an error.
    """

    lookup_name = "unindexed"
    template = "%(expressions)s"

    def as_mysql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        is_time = isinstance(self.output_field, models.DateTimeField)
        kind = "datetime(6)" if is_time else "char"
        return self.as_sql(compiler, connection, template=f"CAST(%(expressions)s AS {kind})")

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        # Else the next turn is looked for among all that is pending, which is then sorted.
        return self.as_sql(compiler, connection, template="+%(expressions)s")


class OrderedUUIDField(models.UUIDField):  # type: ignore[type-arg]
    """A UUID that sorts as its hexadecimal text does. MariaDB's type swaps the segments first."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "char(32)" if is_mariadb(connection) else super().db_type(connection)

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return value.hex if value is not None and is_mariadb(connection) else value


class DeepJSONField(models.JSONField):
    """JSON of any depth. MariaDB's type takes 31 levels at most, so the column is text there."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        if is_mariadb(connection):
            return {"type": "longtext", "check": None, "collation": "utf8mb4_bin"}
        return super().db_parameters(connection)
