"""The table of the sweep, of one row."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_image_tasks.fields import CodePointField, OrderedUUIDField


class LastSweep(models.Model):
    """The one row that says when the sweep ran last, and what it saw."""

    ran_at = models.DateTimeField(_("ran at"))
    sweeper = CodePointField(_("sweeper"), max_length=64)
    # The task whose turn it was. If it still is at the next sweep, nothing was started since.
    next_id = OrderedUUIDField(_("next task"), null=True)
    ticket_at = models.DateTimeField(_("ticket at"))

    class Meta:
        verbose_name = _("last sweep")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.sweeper} {self.ran_at}"
