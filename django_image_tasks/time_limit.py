"""A limit for how long the database may take for a list that no index serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connections, transaction

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import TookTooLong
from django_image_tasks.fields import is_mariadb

CODES = {"57014", 1969}
"""What PostgreSQL (SQLSTATE) and MariaDB (number) answer when a statement ran out of time."""


@contextmanager
def time_limit(using: str) -> Iterator[None]:
    """Let no query in this block take longer than ``LIST_TIMEOUT``. SQLite knows no such limit.

    Raises :exc:`~django_image_tasks.exceptions.TookTooLong` for one that takes longer.
    """
    try:
        with _limit(using):
            yield
    except OperationalError as error:
        state = getattr(error.__cause__, "sqlstate", getattr(error.__cause__, "pgcode", None))
        if CODES & {state, *error.args[:1]}:
            raise TookTooLong from None
        raise


@contextmanager
def _limit(using: str) -> Iterator[None]:
    connection, seconds = connections[using], conf.LIST_TIMEOUT
    if seconds and connection.vendor == "postgresql":
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {seconds * 1000:.0f}")
            yield
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    elif seconds and is_mariadb(connection):

        def limited(execute: Any, sql: str, *rest: Any) -> Any:
            return execute(f"SET STATEMENT max_statement_time={seconds:f} FOR {sql}", *rest)

        with connection.execute_wrapper(limited):
            yield
    else:
        yield
