"""What an operator can do with tasks, from the list or from a task's page. Each asks first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from django_image_tasks import bulk, tenancy
from django_image_tasks.admin.bounded import CAP, capped_count, shown
from django_image_tasks.admin.export import export
from django_image_tasks.identifiers import request_id_of
from django_image_tasks.models import Task
from django_image_tasks.services import has_retry, retryable
from django_image_tasks.states import UNFINISHED

if TYPE_CHECKING:
    from django_image_tasks.admin.task_admin import TaskAdmin

CONFIRMED = "_confirmed"
ASKED_AGAIN = ("action", "index", "select_across", ACTION_CHECKBOX_NAME)
"""What the list has sent, and the confirmation sends once more."""
SAMPLE = 10
"""So many tasks are named where it is asked."""


class Action(ABC):
    """Something to do with tasks, and the words it is asked for with."""

    question: Any
    """With a ``%(count)s``, and a plural."""
    button: Any
    note: Any
    others: Any = ""
    """Why it does not apply to some of the chosen tasks."""
    style = "primary"
    at_once = 1000
    """The most tasks that one request does it to."""

    def possible(self) -> Q:
        """The condition for the tasks that it applies to."""
        return Q()

    @abstractmethod
    def run(self, request: HttpRequest, tasks: QuerySet[Task]) -> list[Task] | HttpResponseBase:
        """Do it, log it, and say what happened. Returns tasks to show, or what the user gets."""


class Cancel(Action):
    """Cancels tasks."""

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
        ids = [task.pk for task in tasks]
        ended: list[Task] = []
        asked: list[Task] = []
        for step in bulk.cancel_tasks(ids, request.user.get_username()):
            log(request, step.ended, CHANGE, gettext("Cancelled."))
            log(request, step.asked, CHANGE, gettext("Asked to stop."))
            ended += step.ended
            asked += step.asked
        _say(request, messages.SUCCESS, self.ended, len(ended))
        _say(request, messages.SUCCESS, self.asked, len(asked))
        _say(request, messages.WARNING, self.late, len(ids) - len(ended) - len(asked))
        return [*ended, *asked]


class Retry(Action):
    """Makes new tasks of failed ones."""

    question = ngettext_lazy("Retry %(count)s task?", "Retry %(count)s tasks?", "number")
    button = _("Yes, retry")
    note = _("A retry is a new task, with the same input and owner. The failed one stays as it is.")
    others = _(
        "The others have not failed, have been retried already, or no worker runs tasks of their "
        "type any more."
    )

    made = ngettext_lazy("%(count)d task runs again.", "%(count)d tasks run again.", "count")
    refused = ngettext_lazy(
        "%(count)d task was left alone: it has not failed, was retried, or no longer runs.",
        "%(count)d tasks were left alone: they have not failed, were retried, or no longer run.",
        "count",
    )

    def __init__(self, *, again: bool) -> None:
        self.again = again
        """Whether to retry what has a retry that has not failed."""

    def possible(self) -> Q:
        return retryable() if self.again else retryable() & ~has_retry()

    def run(self, request: HttpRequest, tasks: QuerySet[Task]) -> list[Task]:
        """Returns the new tasks."""
        ids = [task.pk for task in tasks]
        who = {"user_id": tenancy.user_id(request), "request_id": request_id_of(request)}
        retries: list[Task] = []
        for step in bulk.retry_tasks(ids, again=self.again, **who):
            log(request, [retry.failed for retry in step], CHANGE, gettext("Retried."))
            new = [retry.task for retry in step]
            log(request, new, ADDITION, gettext("Retry of a failed task."))
            retries += new
        _say(request, messages.SUCCESS, self.made, len(retries))
        _say(request, messages.WARNING, self.refused, len(ids) - len(retries))
        return retries


class Export(Action):
    """Sends tasks as a file, ``csv`` or ``json``."""

    question = ngettext_lazy("Export %(count)s task?", "Export %(count)s tasks?", "number")
    note = _("In the order of the list.")
    at_once = CAP

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.button = gettext("Download %(format)s") % {"format": suffix.upper()}

    def run(self, request: HttpRequest, tasks: QuerySet[Task]) -> HttpResponseBase:
        """Returns the file."""
        message = gettext("Exported as %(format)s.") % {"format": self.suffix.upper()}
        chosen = list(tasks.defer(None).only("name", "type"))
        log(request, chosen, CHANGE, message)
        return export(request, [task.pk for task in chosen], self.suffix, tasks.db)


def act_on_selected(
    admin: TaskAdmin, request: HttpRequest, tasks: Any, action: Action
) -> HttpResponseBase | None:
    """Ask whether to act on the tasks that are selected in the list; once confirmed, do it."""
    if request.POST.get("select_across") != "1":
        # A task that the list's filter no longer lets through has still been chosen.
        rows: Any = admin.get_queryset(request).filter(
            pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)
        )
        tasks = rows.in_order(tasks.order)
    elif CONFIRMED in request.POST:
        tasks = tasks.filter(action.possible())
    if CONFIRMED not in request.POST:
        return _ask(admin, request, tasks, action, back=request.get_full_path())
    done = action.run(request, tasks.defer(None)[: action.at_once])
    return done if isinstance(done, HttpResponseBase) else None


def act_on_one(admin: TaskAdmin, request: HttpRequest, pk: UUID, action: Action) -> HttpResponse:
    """Ask whether to act on one task, or do it and lead to the page of what came of it."""
    tasks = admin.get_queryset(request).filter(pk=pk)
    if not tasks:
        raise Http404
    if request.method != "POST":
        return _ask(admin, request, tasks, action, back=admin.address("change", pk))
    done = action.run(request, tasks)
    shown_next = done[0].pk if isinstance(done, list) and done else pk
    return HttpResponseRedirect(admin.address("change", shown_next))


def _ask(
    admin: TaskAdmin, request: HttpRequest, tasks: QuerySet[Task], action: Action, back: str
) -> HttpResponse:
    asked = [(name, value) for name in ASKED_AGAIN for value in request.POST.getlist(name)]
    chosen = capped_count(tasks)
    able = capped_count(tasks.filter(action.possible())) if action.others else chosen
    title = action.question % {"number": able, "count": shown(able)}
    context = {
        "title": title,
        "original": title,  # where the breadcrumbs end
        "verb": action,
        "is_able": able > 0,
        "is_partly": able < chosen,
        "numbers": {"able": shown(able), "chosen": shown(chosen)},
        "at_once": shown(action.at_once) if able > action.at_once else "",
        "sample": tasks[:SAMPLE],
        "more": chosen > SAMPLE,
        "back": back,
        "fields": [(CONFIRMED, "yes"), *asked],
    }
    return admin.render_page(request, "confirm_action", context)


def log(request: HttpRequest, tasks: Iterable[Task], flag: int, message: str) -> None:
    """Write what was done into the admin's log, in one statement."""
    if tasks := list(tasks):
        LogEntry.objects.log_actions(request.user.pk, tasks, flag, message)  # type: ignore[arg-type]


def _say(request: HttpRequest, level: int, text: Any, count: int) -> None:
    if count:
        messages.add_message(request, level, text % {"count": count})
