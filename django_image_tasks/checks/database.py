"""Checks of the database: it must keep owners apart, and let server and worker both write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from django_image_tasks.models import Attempt, Leftover, Task
from django_image_tasks.unmigrated import missing_migrations

CHARSET_HINT = 'In DATABASES: "OPTIONS": {"charset": "utf8mb4"}'
STRICT_HINT = (
    'In DATABASES: "OPTIONS": {"init_command": '
    "\"SET sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')\"}"
)

SQLITE_OPTIONS = (
    '"OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;", '
    '"transaction_mode": "IMMEDIATE", "timeout": 20}'
)
SHORTEST_TIMEOUT = 10
"""Seconds that a writer must wait for another one before SQLite gives up."""


def check_charset_option(**kwargs: Any) -> list[CheckMessage]:
    """Check the character set that the settings name for MariaDB, without a connection."""
    connection = connections[router.db_for_write(Task)]
    if connection.vendor != "mysql":
        return []
    charset = connection.get_connection_params().get("charset")
    if charset == "utf8mb4":
        return []
    message = f"Connections to '{connection.alias}' are to have the character set {charset}."
    return [CheckWarning(message, hint=CHARSET_HINT, id="image_tasks.W003")]


def check_sqlite(**kwargs: Any) -> list[CheckMessage]:
    """Check that SQLite lets others read and wait while one process writes."""
    connection = connections[router.db_for_write(Task)]
    if connection.vendor != "sqlite":
        return []
    options = connection.settings_dict["OPTIONS"]
    if (
        "journal_mode=wal" in options.get("init_command", "").replace(" ", "").lower()
        and options.get("transaction_mode") == "IMMEDIATE"
        and options.get("timeout", 0) >= SHORTEST_TIMEOUT
    ):
        return []
    return [
        CheckWarning(
            f"SQLite ('{connection.alias}') answers \"database is locked\" where a server and a "
            "worker write at once.",
            hint=f"In DATABASES: {SQLITE_OPTIONS}",
            id="image_tasks.W002",
        )
    ]


def check_database(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Ask the server how it stores text; ``migrate`` and ``check --database`` do so."""
    connection = connections[router.db_for_write(Task)]
    if connection.alias not in (databases or ()):
        return []
    match connection.vendor:
        case "mysql":
            return [*_strict(connection), *_utf8mb4(connection), *_innodb(connection)]
        case "postgresql":
            return [*_utf8(connection)]
    return []


def check_migrations(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check that ``migrate`` was run; ``check --deploy --database`` does so."""
    if router.db_for_write(Task) not in (databases or ()):
        return []
    told = missing_migrations()
    message, _, hint = told.partition(" Run: ")
    return [Error(message, hint=hint, id="image_tasks.E021")] if told else []


def _strict(connection: BaseDatabaseWrapper) -> Iterator[Error]:
    [[modes]] = _rows(connection, "SELECT @@sql_mode")
    if not {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"} & {*modes.split(",")}:
        yield Error(
            f"'{connection.alias}' is not strict. It stores a long owner cut off, as if it were "
            "another one.",
            hint=STRICT_HINT,
            id="image_tasks.E009",
        )


def _utf8mb4(connection: BaseDatabaseWrapper) -> Iterator[Error]:
    [[charset]] = _rows(connection, "SELECT @@character_set_connection")
    if charset != "utf8mb4":
        yield Error(
            f"Connections to '{connection.alias}' have the character set {charset}. Two owners "
            "that differ in an emoji are one.",
            hint=CHARSET_HINT,
            id="image_tasks.E010",
        )
    columns = _rows(
        connection,
        "SELECT table_name, column_name, character_set_name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND table_name IN %s AND character_set_name <> 'utf8mb4'",
        [_tables()],
    )
    for table, column, charset in columns:
        yield Error(
            f"In '{connection.alias}' {table}.{column} has the character set {charset}.",
            hint=f"ALTER TABLE {table} MODIFY {column} … CHARACTER SET utf8mb4",
            id="image_tasks.E010",
        )


def _innodb(connection: BaseDatabaseWrapper) -> Iterator[Error]:
    tables = _rows(
        connection,
        "SELECT table_name, engine, row_format FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name IN %s",
        [_tables()],
    )
    new = "SELECT 'a new table', @@default_storage_engine, @@innodb_default_row_format"
    for table, engine, row_format in tables or _rows(connection, new):
        if (engine.lower(), row_format.lower()) != ("innodb", "dynamic"):
            yield Error(
                f"In '{connection.alias}' {table} has the engine {engine} and {row_format} rows. "
                "Only InnoDB has transactions, and only with dynamic rows long indexes.",
                hint="ALTER TABLE … ENGINE = InnoDB, ROW_FORMAT = DYNAMIC; and the same for the "
                "server's default_storage_engine and innodb_default_row_format",
                id="image_tasks.E011",
            )


def _utf8(connection: BaseDatabaseWrapper) -> Iterator[Error]:
    [[encoding]] = _rows(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        yield Error(
            f"'{connection.alias}' has the encoding {encoding}, which cannot hold every text.",
            hint="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            id="image_tasks.E012",
        )


def _tables() -> tuple[str, ...]:
    return tuple(model._meta.db_table for model in (Task, Attempt, Leftover))


def _rows(connection: BaseDatabaseWrapper, sql: str, params: Any = None) -> Sequence[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: Sequence[Any] = cursor.fetchall()
        return rows
