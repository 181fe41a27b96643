"""The order that a list's parameters ask for (docs/reference/http.md, "Sorting")."""

from __future__ import annotations

from collections.abc import Sequence

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.querysets import SortKey

SORT_KEYS = (
    "created_at",
    "id",
    "name",
    "type",
    "status",
    "owner",
    "updated_at",
    "expires_at",
)
DIRECTIONS = {"asc": False, "desc": True, "": True}
TIE_BREAKERS = ("created_at", "id")


def parse_ordering(
    keys: Sequence[str], directions: Sequence[str], sort: Sequence[str]
) -> list[SortKey]:
    """A total order from the values of ``sort_key`` and ``sort_dir``, or from those of ``sort``.

    Raises :exc:`~django_image_tasks.exceptions.InvalidInput` with the contract's text.
    """
    if sort:
        if keys or any(directions):
            raise InvalidInput("sort cannot be combined with sort_key and sort_dir.")
        terms = [term.partition(":") for value in sort for term in value.split(",")]
        keys, directions = [term[0] for term in terms], [term[2] for term in terms]
    return _total(_pair(list(keys) or ["created_at"], directions))


def _pair(keys: Sequence[str], directions: Sequence[str]) -> list[SortKey]:
    if not set(keys) <= set(SORT_KEYS):
        raise InvalidInput("Sort key supplied was not valid.")
    if len(set(keys)) < len(keys):
        raise InvalidInput("A sort key may be given only once.")
    if len(directions) > len(keys):
        raise InvalidInput("There are more sort directions than sort keys.")
    for direction in directions:
        if direction not in DIRECTIONS:
            raise InvalidInput(f"Invalid sort direction: {direction}")
    missing = [""] * (len(keys) - len(directions))
    return [
        SortKey(key, DIRECTIONS[direction])
        for key, direction in zip(keys, [*directions, *missing], strict=True)
    ]


def _total(ordering: list[SortKey]) -> list[SortKey]:
    """Add the tie-breakers; what stands behind the id decides nothing and is left out."""
    names = [key.name for key in ordering]
    ties = [SortKey(name, ordering[-1].descending) for name in TIE_BREAKERS if name not in names]
    ordering = [*ordering, *ties]
    return ordering[: 1 + [key.name for key in ordering].index("id")]
