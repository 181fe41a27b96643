"""What can be done with tasks from the admin, to one or to many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from django_image_tasks import tenancy
from django_image_tasks.admin.counts import CAP
from django_image_tasks.admin.export import export
from django_image_tasks.exceptions import InvalidInput, InvalidTransition
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import request_id_of
from django_image_tasks.models import Task
from django_image_tasks.services import cancel_task, retry_task
from django_image_tasks.states import UNFINISHED, Status


class Verb(ABC):
    """Something to do with tasks, and the words it is asked for with."""

    question: Any
    """With a ``%(count)s``, and a plural."""
    button: Any
    note: Any
    others: Any = ""
    """Why it does not apply to some of the chosen tasks."""
    style: str = "primary"
    at_once: int = 1000
    """The most tasks that one request does it to."""

    def possible(self) -> Q:
        """The tasks it applies to."""
        return Q()

    @abstractmethod
    def run(self, request: HttpRequest, tasks: QuerySet[Task]) -> Any:
        """Do it, log it, and say what happened."""


class Cancel(Verb):
    question = ngettext_lazy("Cancel %(count)s task?", "Cancel %(count)s tasks?", "number")
    style = "danger"
    button = _("Yes, cancel")
    note = _("A task that waits ends at once; a running one as soon as its worker has heard of it.")
    others = _("The others have finished.")

    ended = ngettext_lazy(
        "%(count)d task was cancelled.", "%(count)d tasks were cancelled.", "count"
    )
    asked = ngettext_lazy(
        "%(count)d running task was asked to stop.",
        "%(count)d running tasks were asked to stop.",
        "count",
    )
    late = ngettext_lazy(
        "%(count)d task had finished already.", "%(count)d tasks had finished already.", "count"
    )

    def possible(self) -> Q:
        return Q(status__in=UNFINISHED)

    def run(self, request: HttpRequest, tasks: QuerySet[Task]) -> list[Task]:
        """Returns the tasks that were cancelled, or are about to be."""
        ended: list[Task] = []
        asked: list[Task] = []
        late = 0
        for task in tasks:
            try:
                cancel_task(task, request.user.get_username())
            except InvalidTransition:
                late += 1
            else:
                (asked if task.status in UNFINISHED else ended).append(task)
        log(request, ended, CHANGE, gettext("Cancelled."))
        log(request, asked, CHANGE, gettext("Asked to stop."))
        _say(request, messages.SUCCESS, self.ended, len(ended))
        _say(request, messages.SUCCESS, self.asked, len(asked))
        _say(request, messages.WARNING, self.late, late)
        return [*ended, *asked]


class Retry(Verb):
    question = ngettext_lazy("Retry %(count)s task?", "Retry %(count)s tasks?", "number")
    button = _("Yes, retry")
    note = _(
        "Each becomes a new task, with the same input and owner. The failed one stays as it is."
    )
    others = _("The others have not failed, or no worker runs tasks of their type any more.")

    again = ngettext_lazy("%(count)d task runs again.", "%(count)d tasks run again.", "count")
    refused = ngettext_lazy(
        "%(count)d task was left alone: it has not failed, or no longer runs.",
        "%(count)d tasks were left alone: they have not failed, or no longer run.",
        "count",
    )

    def possible(self) -> Q:
        return Q(status=Status.FAILURE, type__in=registry.runnable_types())

    def run(self, request: HttpRequest, tasks: QuerySet[Task]) -> list[Task]:
        """Returns the new tasks."""
        retries: dict[Task, Task] = {}
        refused = 0
        for task in tasks:
            try:
                retries[task] = _retry(request, task)
            except (InvalidInput, InvalidTransition):
                refused += 1
        log(request, retries, CHANGE, gettext("Retried."))
        log(request, retries.values(), ADDITION, gettext("Retry of a failed task."))
        _say(request, messages.SUCCESS, self.again, len(retries))
        _say(request, messages.WARNING, self.refused, refused)
        return [*retries.values()]


class Export(Verb):
    question = ngettext_lazy("Export %(count)s task?", "Export %(count)s tasks?", "number")
    note = _("In the order of the list.")
    at_once = CAP

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.button = gettext("Download %(format)s") % {"format": suffix.upper()}

    def run(self, request: HttpRequest, tasks: QuerySet[Task]) -> StreamingHttpResponse:
        message = gettext("Exported as %(format)s.") % {"format": self.suffix.upper()}
        log(request, tasks.defer(None).only("name", "type"), CHANGE, message)
        return export(request, tasks, self.suffix)


def log(request: HttpRequest, tasks: Iterable[Task], flag: int, message: str) -> None:
    """Write the admin's log, in one statement."""
    if tasks := list(tasks):
        LogEntry.objects.log_actions(request.user.pk, tasks, flag, message)  # type: ignore[arg-type]


def _retry(request: HttpRequest, task: Task) -> Task:
    with transaction.atomic():
        return retry_task(task, user_id=tenancy.user_id(request), request_id=request_id_of(request))


def _say(request: HttpRequest, level: int, text: Any, count: int) -> None:
    if count:
        messages.add_message(request, level, text % {"count": count})
