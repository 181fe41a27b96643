"""What narrows the list: its filters and its search box. Each reads a bounded part of one index."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_image_tasks.admin.bounded import MOST_MATCHES, first_ids
from django_image_tasks.admin.columns import MESSAGE_LENGTH
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.models import Task
from django_image_tasks.states import UNFINISHED, Status

Choices = Sequence[tuple[str, Any]]
AGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
LAST_CHARACTER = "\U0010ffff"
BEGINNING = re.compile("[0-9a-f]{4,32}", re.IGNORECASE | re.ASCII)


class StatusFilter(admin.SimpleListFilter):
    """Filters by status."""

    title = _("status")
    parameter_name = "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return Status.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        is_status = self.value() in Status.values
        return queryset.hold("status", self.value()) if is_status else queryset


class TypeFilter(admin.SimpleListFilter):
    """Filters by type. Offers the registered ones; Django's own filter reads the whole table."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(type_, type_) for type_ in registry.types()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        is_registered = self.value() in registry.types()
        return queryset.hold("type", self.value()) if is_registered else queryset


class CreatedFilter(admin.SimpleListFilter):
    """Filters by age."""

    title = _("created")
    parameter_name = "created"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("hour", _("Last hour")), ("day", _("Last day")), ("week", _("Last week"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        age = AGES.get(self.value() or "")
        return queryset.filter(created_at__gte=timezone.now() - age) if age else queryset


class AttentionFilter(admin.SimpleListFilter):
    """Finds what needs somebody's eye: of each kind those that are longest overdue."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("stuck", _("Stuck: lease ran out")),
            ("expiring", _("Expiring within a day")),
            ("expired", _("Expired, not yet purged")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now, tasks = timezone.now(), Task.objects.order_by("expires_at")
        match self.value():
            case "stuck":
                stale = Task.objects.stale(now).order_by("lease_expires_at")
                # Each status alone, lest a long queue hide a lost worker.
                found = [stale.filter(status=status) for status in UNFINISHED]
            case "expiring":
                found = [tasks.expired(now + timedelta(days=1)).filter(expires_at__gt=now)]
            case "expired":
                found = [tasks.expired(now)]
            case _:
                return queryset
        return queryset.among([pk for rows in found for pk in first_ids(request, rows)])


def search(request: HttpRequest, queryset: Any, rows: Any, term: str) -> Any:
    """Those of the queryset that a term finds among all rows that the user may see.

    The first of these that finds any task wins: the id; the owner; the beginning of the name; the
    beginning of the id; a part of the message of a recent failure.
    """
    pk = parse_uuid(term)
    if pk and rows.filter(pk=pk).exists():
        return queryset.among([pk])
    if rows.filter(owner=term).exists():
        return queryset.hold("owner", term)
    for find in (_by_name, _by_id, _by_message):
        if found := find(request, rows, term):
            return queryset.among(found)
    return queryset.none()


def _by_name(request: HttpRequest, rows: QuerySet[Task], term: str) -> list[UUID]:
    # No LIKE: on SQLite and MariaDB it would not use the index.
    names = rows.filter(name__gte=term, name__lt=term + LAST_CHARACTER)
    return first_ids(request, names.order_by("name"))


def _by_id(request: HttpRequest, rows: QuerySet[Task], term: str) -> list[UUID]:
    digits = term.replace("-", "")
    if not BEGINNING.fullmatch(digits):
        return []
    ends = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return first_ids(request, rows.filter(pk__range=ends).order_by("pk"))


def _by_message(request: HttpRequest, rows: QuerySet[Task], term: str) -> list[UUID]:
    failures = rows.filter(status=Status.FAILURE).order_by("-finished_at")
    texts = failures.values_list("pk", Substr("message", 1, MESSAGE_LENGTH))
    return [pk for pk, text in texts[:MOST_MATCHES] if term.casefold() in text.casefold()]
