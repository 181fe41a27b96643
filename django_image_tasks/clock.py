"""The clock of the database, by which leases and due times are written and compared.

The clocks of web servers, workers and sweeps may differ by minutes; the database has one.
"""

from __future__ import annotations

from typing import Any

from django.db.models import DateTimeField, Func
from django.db.models.functions import Now
from django.utils import timezone


class DatabaseNow(Func):
    """The time on the database's clock. ``DatabaseNow() + timedelta(seconds=5)`` is later."""

    output_field = DateTimeField()
    template = ""

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        return compiler.compile(Now())

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # CURRENT_TIMESTAMP, which Django's Now() uses, is the session's local time there, while the
        # columns hold UTC: in a session at +02:00 every lease was 7,200 seconds off.
        if connection.timezone_name == "UTC":
            return "UTC_TIMESTAMP(6)", []
        return "CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', %s)", [connection.timezone_name]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # SQLite runs in our process, so its clock is ours, which is finer than its milliseconds.
        return "%s", [connection.ops.adapt_datetimefield_value(timezone.now())]
