"""What narrows the list: its filters and its search box. Each reads a bounded part of one index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Case, Count, Min, Value, When
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_image_tasks import health
from django_image_tasks.admin.bounded import CAP, MOST_MATCHES, capped_count, first_ids, warn
from django_image_tasks.admin.columns import MESSAGE_LENGTH
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import ids_beginning_with, parse_uuid
from django_image_tasks.models import Attempt, Task
from django_image_tasks.services import has_retry
from django_image_tasks.states import UNFINISHED, Status

Choices = Sequence[tuple[str, Any]]
AGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
MOST_FAILURES = CAP
LAST_CHARACTER = "\U0010ffff"
NOTHING = _(
    "Nothing is called “%(term)s”: no task, image, request, user or owner has it as its id, no "
    "name and no id begins with it, and neither do the workers of the last 1,000 attempts nor the "
    "messages of the last 1,000 failures have it."
)


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
        if self.value() not in registry.types():
            return queryset
        tasks = Task.objects.filter(type=self.value())
        if capped_count(tasks, MOST_MATCHES) > MOST_MATCHES:
            return queryset.hold("type", self.value())
        # SQLite would look for them among all tasks of a status.
        return queryset.among(list(tasks.values_list("pk", flat=True)[:MOST_MATCHES]))


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


class FailureFilter(admin.SimpleListFilter):
    """Finds one group of the last day's failures. Only links of the page about them lead here."""

    title = _("failure")
    parameter_name = "failures"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        key = self.used_parameters.get(self.parameter_name)
        return [(key, _("For one reason, within a day"))] if key else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        groups = health.failures(Task.objects.all(), timezone.now()) if self.value() else ()
        ids = [pk for group in groups if group.key == self.value() for pk in group.ids]
        return queryset.among(ids) if self.value() else queryset


class RetriedFilter(admin.SimpleListFilter):
    """Finds the failed tasks that have a retry which has not failed, or those that have none.

    No index tells them apart, so only the newest failures are looked at.
    """

    title = _("already retried")
    parameter_name = "retried"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in ("yes", "no"):
            return queryset
        failures = Task.objects.filter(status=Status.FAILURE).order_by("-created_at")
        newest = failures.values("created_at")[: MOST_FAILURES + 1]
        found = newest.aggregate(first=Min("created_at"), number=Count("created_at"))
        if found["number"] > MOST_FAILURES:
            text = _("Only the newest %(number)s failures are looked at.")
            warn(request, text, MOST_FAILURES)
            queryset = queryset.compare("created_at", "gt", found["first"])
        # In a CASE, for MariaDB to begin with these tasks and not with all that may be retries.
        is_retried = Case(When(has_retry(), then=Value("yes")), default=Value("no"))
        failed = queryset.hold("status", Status.FAILURE.value)
        return failed.alias(whether_retried=is_retried).filter(whether_retried=self.value())


def search(request: HttpRequest, queryset: Any, rows: Any, term: str) -> Any:
    """Those of the queryset that a term finds among all rows that the user may see.

    It is looked for everywhere at once, each time in a bounded part of one index. An owner that
    nothing else is called like is held as a filter, so that all of their tasks are found.
    """
    found = {pk for some in _candidates(rows, term) for pk in first_ids(request, some)}
    found.update(_by_message(rows, term))
    if rows.filter(owner=term).exists():
        if not found:
            return queryset.hold("owner", term)
        found.update(first_ids(request, _newest(rows.filter(owner=term))))
    if not found:
        messages.info(request, NOTHING % {"term": term}, fail_silently=True)
        return queryset.none()
    return queryset.among([*found][:MOST_MATCHES])


def _candidates(rows: Any, term: str) -> Iterator[Any]:
    if ends := ids_beginning_with(term):
        yield rows.filter(pk__range=ends).order_by("pk")
    # No index ignores case, so these are the ways in which names are written. No LIKE and no OR:
    # SQLite would read the whole index for them.
    for way in {term, term.lower(), term.upper(), term.capitalize(), term.title()}:
        yield rows.filter(name__gte=way, name__lt=way + LAST_CHARACTER).order_by("name")
    yield _newest(rows.filter(user_id=term))
    yield _newest(rows.filter(image_id=str(parse_uuid(term) or term)))
    for request_id in {term, f"req-{term}"}:
        yield _newest(rows.filter(request_id=request_id))
    newest = Attempt.objects.order_by("-pk").values_list("task_id", "worker")[:MOST_MATCHES]
    yield rows.filter(pk__in=[pk for pk, worker in newest if worker.startswith(term)])


def _newest(rows: Any) -> Any:
    return rows.order_by("-created_at", "-pk")


def _by_message(rows: Any, term: str) -> list[UUID]:
    failures = rows.filter(status=Status.FAILURE).order_by("-finished_at")
    texts = failures.values_list("pk", Substr("message", 1, MESSAGE_LENGTH))
    return [pk for pk, text in texts[:MOST_MATCHES] if term.casefold() in text.casefold()]
