"""Says what to run where ``migrate`` was forgotten, instead of "no such table"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connections, router
from django.db.migrations.executor import MigrationExecutor

from django_image_tasks.database_faults import is_temporary
from django_image_tasks.exceptions import NotMigrated
from django_image_tasks.models import Task

APP = Task._meta.app_label


def missing_migrations() -> str:
    """What to do about migrations of this app that were not applied; empty if all were."""
    connection = connections[router.db_for_write(Task)]
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(APP))
    names = [migration.name for migration, _ in plan if migration.app_label == APP]
    if not names:
        return ""
    alias = connection.alias
    option = "" if alias == "default" else f" --database={alias}"
    missing = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    return f"The database '{alias}' lacks {missing} of {APP}. Run: python manage.py migrate{option}"


@contextmanager
def names_missing_migrations() -> Iterator[None]:
    """Raise NotMigrated for an error of the database that comes of missing migrations.

    They are looked for only when there is an error.
    """
    try:
        yield
    except DatabaseError as error:
        told = ""
        if not is_temporary(error):
            with suppress(DatabaseError):  # as in a transaction that the error has broken
                told = missing_migrations()
        if told:
            raise NotMigrated(told) from error
        raise
