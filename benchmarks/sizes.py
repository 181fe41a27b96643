"""One database for each table size, all of them within reach of one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

SCRATCH = "default"
"""The database that benchmarks write to; it is emptied before each of them."""

_current: ContextVar[str] = ContextVar("database")


def alias_of(rows: int) -> str:
    return f"rows_{rows}"


@contextmanager
def using(alias: str) -> Iterator[None]:
    """Whatever is asked meanwhile is asked of this database."""
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
