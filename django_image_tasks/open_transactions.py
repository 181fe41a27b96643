"""Finds the transactions that a handler leaves open, in which nothing must be recorded."""

from __future__ import annotations

from typing import Any

from django.db import connections


def depths() -> dict[str, int]:
    """How many ``atomic`` blocks are open on each connection of this thread."""
    return {each.alias: len(each.atomic_blocks) for each in connections.all(initialized_only=True)}


def end_those_since(before: dict[str, int]) -> list[str]:
    """Roll back every transaction that was opened since; returns the aliases of their databases."""
    left = [each for each in connections.all(initialized_only=True) if _is_left(each, before)]
    for each in left:
        each.close()
        del connections[each.alias]  # its state is unknown: the next use makes a new one
    return [each.alias for each in left]


def _is_left(connection: Any, before: dict[str, int]) -> bool:
    if depth := before.get(connection.alias, 0):
        return len(connection.atomic_blocks) > depth
    if connection.connection is None:
        return False
    return not connection.autocommit or _has_begun(connection)


def _has_begun(connection: Any) -> bool:
    """Whether a ``BEGIN`` was sent behind Django's back. MariaDB's driver cannot tell."""
    raw = connection.connection
    if connection.vendor == "postgresql":
        return bool(getattr(raw.info, "transaction_status", 0))
    return bool(getattr(raw, "in_transaction", False))
