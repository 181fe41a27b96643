"""Tells a database that is away, busy or locked from a fault of the program.

Django's exception classes cannot: on SQLite a missing table and a locked file are both an
``OperationalError``. The driver's own error, which Django keeps as the cause, has a code.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

View = TypeVar("View", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")

RETRY_AFTER = 5
"""Seconds after which a client may ask again."""

SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,  # a race for the lock of the write-ahead log
}
"""Primary result codes."""

POSTGRESQL = (
    "08",  # connection exceptions
    "25P03",  # idle in a transaction for too long
    "25P04",  # a transaction that took too long
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53",  # out of connections, memory or disk
    "55P03",  # lock not available
    "57014",  # cancelled, as by statement_timeout
    "57P0",  # shutting down, starting up, or the session was ended
)
"""SQLSTATEs, and the first characters of groups of them."""

MYSQL = {
    0,  # a connection that is closed already
    *(1020, 1205, 1213),  # changed since it was read; lock wait timeout; deadlock
    *(1021, 1037, 1038, 1040, 1041, 1203, 1226),  # out of disk, memory or connections
    *(1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927),  # shutdown, KILL, network
    *(1317, 1969, 3024),  # a statement that was cancelled, or took too long
    *(2002, 2003, 2005, 2006, 2013, 2055, 4031),  # no server, or no longer
}
"""Numbers of errors, of the server (below 2000, 3024, 4031) and of the client."""

LOCKS = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
    *("40001", "40P01", "55P03"),  # serialization failure, deadlock, lock not available
    *(1020, 1205, 1213),  # changed since it was read, lock wait timeout, deadlock
}
"""What a database says of a statement that was sound, and gave way to another one's lock."""
LOCK_TRIES = 6
"""How often a change is tried before a lock that stands in its way is anybody's business."""


def is_temporary(error: BaseException | None) -> bool:
    """Whether the same request may succeed later, once the database is well again.

    An exception that was raised ``from`` such an error counts too.
    """
    while error is not None:
        if isinstance(error, DatabaseError | InterfaceError) and _is_temporary(error):
            return True
        error = error.__cause__
    return False


def _is_temporary(error: Exception) -> bool:
    code = _code(error)
    if isinstance(error.__cause__, sqlite3.Error):
        return code in SQLITE
    if code is None:  # the connection broke, was never made, or the pool had none to give
        return isinstance(error, OperationalError | InterfaceError)
    return code.startswith(POSTGRESQL) if isinstance(code, str) else code in MYSQL


def _code(error: Exception) -> str | int | None:
    """The driver's code for a fault: a SQLSTATE on PostgreSQL, a number elsewhere."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if hasattr(cause, "sqlstate") or hasattr(cause, "pgcode"):  # psycopg, psycopg2
        return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    code = cause.args[0] if cause and cause.args else -1
    return code if isinstance(code, int) else -1


def outlasts_locks(change: Callable[P, T]) -> Callable[P, T]:
    """Decorate a change that is one transaction, so that a lock in its way has it tried again.

    Inside a transaction of the caller's nothing can be tried again, and the error is raised.
    """

    @wraps(change)
    def outlasting(*args: P.args, **kwargs: P.kwargs) -> T:
        for tries in range(1, LOCK_TRIES):
            try:
                return change(*args, **kwargs)
            except DatabaseError as error:
                in_transaction = any(c.in_atomic_block for c in connections.all(True))
                if in_transaction or _code(error) not in LOCKS:
                    raise
            time.sleep(random.uniform(0.01, 0.02) * 2**tries)  # noqa: S311 (no secret)
        return change(*args, **kwargs)

    return outlasting


def begins_transactions(view: View) -> View:
    """Mark a view that calls :func:`atomic_request`, so that Django does not do the same."""
    for alias in connections:
        view = transaction.non_atomic_requests(alias)(view)
    return view


def atomic_request() -> AbstractContextManager[Any]:
    """Begin, and at the end commit, the transactions that ``ATOMIC_REQUESTS`` asks for.

    Django does so around the view, where the view cannot answer if the database is away.
    """
    settings = connections.settings.items()
    aliases = [alias for alias, options in settings if options["ATOMIC_REQUESTS"]]
    return _all_atomic(aliases) if aliases else nullcontext()


@contextmanager
def _all_atomic(aliases: Iterable[str]) -> Iterator[None]:
    with ExitStack() as transactions:
        for alias in aliases:
            transactions.enter_context(transaction.atomic(using=alias))
        yield
