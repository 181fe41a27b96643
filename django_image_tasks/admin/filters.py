"""The list's filters. None of them makes its choices from the table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_image_tasks.admin.window import first_ids
from django_image_tasks.handlers import registry
from django_image_tasks.models import Task
from django_image_tasks.states import UNFINISHED, Status

Choices = Iterable[tuple[str, Any]]


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return Status.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        is_status = self.value() in Status.values
        return queryset.hold("status", self.value()) if is_status else queryset


class TypeFilter(admin.SimpleListFilter):
    """Offers the registered types; Django's own filter would look through the whole table."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(type_, type_) for type_ in registry.types()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        is_registered = self.value() in registry.types()
        return queryset.hold("type", self.value()) if is_registered else queryset


class CreatedFilter(admin.SimpleListFilter):
    title = _("created")
    parameter_name = "created"
    ages = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("hour", _("Last hour")), ("day", _("Last day")), ("week", _("Last week"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        age = self.ages.get(self.value() or "")
        return queryset.filter(created_at__gte=timezone.now() - age) if age else queryset


class AttentionFilter(admin.SimpleListFilter):
    """What needs somebody's eye, longest overdue first."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("stuck", _("Stuck: lease ran out")),
            ("expiring", _("Expiring within a day")),
            ("expired", _("Expired, not yet purged")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not (found := ATTENTION.get(self.value() or "")):
            return queryset
        ids = [pk for rows in found(timezone.now()) for pk in first_ids(request, rows)]
        return queryset.among(ids)


def _stuck(now: datetime) -> list[QuerySet[Task]]:
    """Of each status, lest a long queue hide a lost worker."""
    stale = Task.objects.stale(now).order_by("lease_expires_at")
    return [stale.filter(status=status) for status in UNFINISHED]


def _expiring(now: datetime) -> list[QuerySet[Task]]:
    soon = Task.objects.expired(now + timedelta(days=1)).filter(expires_at__gt=now)
    return [soon.order_by("expires_at")]


def _expired(now: datetime) -> list[QuerySet[Task]]:
    return [Task.objects.expired(now).order_by("expires_at")]


ATTENTION = {"stuck": _stuck, "expiring": _expiring, "expired": _expired}
