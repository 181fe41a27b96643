"""The databases, one for each size of the table, which one process reaches in turn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

SCRATCH = "default"
"""The database for benchmarks that write. Each of them makes it anew before it measures."""

_current: ContextVar[str] = ContextVar("database")


def alias_of(rows: int) -> str:
    return f"rows_{rows}"


@contextmanager
def using(alias: str) -> Iterator[None]:
    """Within the context every query goes to this database."""
    token = _current.set(alias)
    try:
        yield
    finally:
        _current.reset(token)


class SizeRouter:
    """Sends every query, of ours and of the peers, to the current database."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return _current.get(os.environ.get("BENCHMARK_ALIAS", SCRATCH))

    db_for_write = db_for_read
