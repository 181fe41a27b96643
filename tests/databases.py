"""Real troubles with the database that the tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Timer
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection


@contextmanager
def away() -> Iterator[None]:
    """The database is where nobody answers. For tests with ``transactional_db``."""
    nowhere = {"HOST": "127.0.0.1", "PORT": "1"}
    if connection.vendor == "sqlite":
        nowhere = {"NAME": "/nowhere/db.sqlite3"}
    connection.close()
    try:
        with patch.dict(connection.settings_dict, nowhere):
            yield
    finally:
        connection.close()


@contextmanager
def other_connection() -> Iterator[Any]:
    with closing(connection.copy()) as other:
        yield other


@contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """The server ends the connection before its query with this number, counted from 0.

    What it says is the list of the queries that were begun.
    """
    begun: list[str] = []

    def kill(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        begun.append(sql)
        if len(begun) == number + 1:
            end_session()
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(kill):
            yield begun
    finally:
        connection.close()


@contextmanager
def locked(table: str, seconds: float) -> Iterator[None]:
    """Whoever reads the table waits until so many seconds have passed. For a server's databases."""
    lock, unlock = {
        "postgresql": (f"BEGIN; LOCK TABLE {table}", "ROLLBACK"),
        "mysql": (f"LOCK TABLES {table} WRITE", "UNLOCK TABLES"),
    }[connection.vendor]
    with other_connection() as other, other.cursor() as cursor:
        cursor.execute(lock)
        other.inc_thread_sharing()
        timer = Timer(seconds, cursor.execute, [unlock])
        timer.start()
        try:
            yield
        finally:
            timer.join()


def end_session() -> None:
    """As an administrator or a restart would; only a server has sessions."""
    postgresql = connection.vendor == "postgresql"
    session = connection.connection
    pid = session.info.backend_pid if postgresql else session.thread_id()
    sql = "SELECT pg_terminate_backend(%s)" if postgresql else "KILL %s"
    with other_connection() as other, other.cursor() as cursor:
        cursor.execute(sql, [pid])


def needs_server() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no server.")
