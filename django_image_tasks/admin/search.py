"""What the search box finds. Every kind of search reads a bounded part of one index."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_image_tasks.admin.columns import MESSAGE_LENGTH
from django_image_tasks.admin.window import WINDOW, first_ids
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.models import Task
from django_image_tasks.states import Status

LAST_CHARACTER = "\U0010ffff"
BEGINNING = re.compile("[0-9a-f]{4,32}", re.IGNORECASE | re.ASCII)


class SearchMixin:
    # Shows the search box; get_search_results decides what it does.
    search_fields: Any = ("id",)
    search_help_text: Any = _(
        "An id or the first four or more digits of one, an owner, the beginning of a name, "
        "or a part of a recent failure's message."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Those that the term finds in the first of these ways that finds any.

        The id; the owner; the beginning of the name; the beginning of the id (behind the names:
        with more digits it is found there too); a part of the message of a recent failure.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        rows = self.get_queryset(request)  # type: ignore[attr-defined]
        pk = parse_uuid(term)
        if pk and rows.filter(pk=pk).exists():
            return queryset.among([pk]), False
        if rows.filter(owner=term).exists():
            return queryset.hold("owner", term), False
        for find in (by_name, by_id, by_message):
            if found := find(request, rows, term):
                return queryset.among(found), False
        return queryset.none(), False


def by_name(request: HttpRequest, rows: QuerySet[Task], term: str) -> list[UUID]:
    """No LIKE: on SQLite and MariaDB it would not use the index."""
    names = rows.filter(name__gte=term, name__lt=term + LAST_CHARACTER)
    return first_ids(request, names.order_by("name"))


def by_id(request: HttpRequest, rows: QuerySet[Task], term: str) -> list[UUID]:
    digits = term.replace("-", "")
    if not BEGINNING.fullmatch(digits):
        return []
    ends = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return first_ids(request, rows.filter(pk__range=ends).order_by("pk"))


def by_message(request: HttpRequest, rows: QuerySet[Task], term: str) -> list[UUID]:
    failures = rows.filter(status=Status.FAILURE).order_by("-finished_at")
    texts = failures.values_list("pk", Substr("message", 1, MESSAGE_LENGTH))
    return [pk for pk, text in texts[:WINDOW] if term.casefold() in text.casefold()]
