"""The table of attempts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_image_tasks.fields import CodePointField
from django_image_tasks.states import Outcome


class Attempt(models.Model):
    """One run of a task by one worker."""

    # The unique constraint below is the index.
    task = models.ForeignKey(
        "django_image_tasks.Task", models.CASCADE, related_name="history", db_index=False
    )
    number = models.PositiveIntegerField(_("number"))
    worker = CodePointField(_("worker"), max_length=64)
    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    outcome = CodePointField(_("outcome"), max_length=16, choices=Outcome.choices, blank=True)
    message = models.TextField(_("message"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="image_task_attempt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"
