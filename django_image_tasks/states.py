"""The states of a task, and how an attempt at one may end."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

__all__ = ["Outcome", "Status"]


class Status(TextChoices):
    """What a task's ``status`` may be on the wire (docs/reference/http.md, "States")."""

    PENDING = "pending", _("pending")
    PROCESSING = "processing", _("processing")
    SUCCESS = "success", _("success")
    FAILURE = "failure", _("failure")


class Outcome(TextChoices):
    """How one attempt at a task ended."""

    SUCCESS = "success", _("success")
    FAILURE = "failure", _("failure")
    RETRY = "retry", _("to be tried again")
    LOST = "lost", _("worker lost")
    HANDED_OVER = "handed_over", _("handed over")


FINISHED = (Status.SUCCESS, Status.FAILURE)
UNFINISHED = (Status.PENDING, Status.PROCESSING)

STATUS_AFTER = {
    Outcome.SUCCESS: Status.SUCCESS,
    Outcome.FAILURE: Status.FAILURE,
    Outcome.RETRY: Status.PENDING,
    Outcome.LOST: Status.PENDING,
    Outcome.HANDED_OVER: Status.PENDING,
}
"""The state of a task once its attempt has ended so."""
