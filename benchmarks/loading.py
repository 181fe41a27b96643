"""The databases are made here, and filled as fast as each of them can take it."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from benchmarks import indexes
from benchmarks.place import directory, fingerprint
from benchmarks.rows import START, Rows
from benchmarks.sizes import alias_of, using
from benchmarks.users import create_users
from django_image_tasks.models import Attempt, Task

BATCH = 5000

ATTEMPTS = f"""
INSERT INTO {Attempt._meta.db_table}
    (task_id, number, worker, started_at, ended_at, outcome, message)
SELECT id, 1, 'worker-1.example.org:4711:0a1b2c3d', started_at, finished_at,
    CASE status WHEN 'processing' THEN '' ELSE status END, message
FROM {Task._meta.db_table} WHERE attempts > 0
"""


def ensure(rows: int) -> None:
    """Make the table of this size, unless an earlier run has left it as it would be made."""
    alias = alias_of(rows)
    stamp = directory(settings.VENDOR) / f"{alias}.stamp"
    if stamp.exists() and stamp.read_text() == fingerprint():
        return
    stamp.unlink(missing_ok=True)
    make(alias, rows)
    stamp.write_text(fingerprint())


def make(alias: str, rows: int, *, start: datetime = START) -> None:
    """Make the table of tasks that were created in the two days after ``start``."""
    started = time.monotonic()
    connection = connections[alias]
    _create(connection)
    with using(alias):
        call_command("migrate", database=alias, verbosity=0)
        create_users(alias)
        with indexes.only(connection), transaction.atomic(using=alias):
            insert(connection, Rows(connection, rows, start=start))
            connection.cursor().execute(ATTEMPTS)
        analyze(connection)
    print(f"{rows:,} rows made in {time.monotonic() - started:.0f} s", flush=True)


def insert(connection: BaseDatabaseWrapper, rows: Rows) -> None:
    columns = ", ".join(rows.columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {Task._meta.db_table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        statement, remaining = insert_statement(rows), iter(rows)
        while batch := list(islice(remaining, BATCH)):
            cursor.executemany(statement, batch)


def insert_statement(rows: Rows) -> str:
    columns, values = ", ".join(rows.columns), ", ".join(["%s"] * len(rows.columns))
    return f"INSERT INTO {Task._meta.db_table} ({columns}) VALUES ({values})"


def analyze(connection: BaseDatabaseWrapper) -> None:
    """Do at once what the database's housekeeping would do in the course of time."""
    tables = [Task._meta.db_table, Attempt._meta.db_table]
    statements = {
        "sqlite": ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
        "postgresql": [f"VACUUM ANALYZE {table}" for table in tables],
        "mysql": [f"ANALYZE TABLE {table}" for table in tables],
    }
    for statement in statements[connection.vendor]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.fetchall() if cursor.description else None


def _create(connection: Any) -> None:
    """Make an empty database, whatever was there before."""
    name = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{name}{suffix}").unlink(missing_ok=True)
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
