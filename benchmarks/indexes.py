"""The indexes that the model adds to its primary key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Index

from django_image_tasks.models import Task


def declared() -> list[Index]:
    return list(Task._meta.indexes)


@contextmanager
def only(connection: BaseDatabaseWrapper, wanted: Iterable[Index] = ()) -> Iterator[None]:
    """Within the context the table has these indexes and no others but the primary key."""
    names = {index.name for index in wanted}
    dropped = [index for index in declared() if index.name not in names]
    with connection.schema_editor() as editor:
        for index in dropped:
            editor.remove_index(Task, index)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for index in dropped:
                editor.add_index(Task, index)
