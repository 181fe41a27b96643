"""The table of what attempts may have left in a storage."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from django_image_tasks.conf import conf
from django_image_tasks.fields import CodePointField, DeepJSONField, OrderedUUIDField


class Leftover(models.Model):
    """What an attempt without a result may have left in a storage; its handler can remove it.

    The row is written together with the attempt's end, and deleted once its handler has tidied up,
    so that nothing stays for good if the storage fails or the worker is killed. It outlives its
    task.
    """

    task_id = OrderedUUIDField()
    attempt = models.PositiveIntegerField()
    task_type = CodePointField(max_length=64)
    input = DeepJSONField()
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["task_id", "attempt"], name="image_task_leftover"),
            models.Index(fields=["due_at"], name="image_task_leftover_due"),
        ]

    def __str__(self) -> str:
        return f"{self.task_id}-{self.attempt}"

    def forget(self) -> None:
        """Delete the row, for there is nothing left to remove."""
        self._rows().delete()

    def postpone(self) -> None:
        """Keep the row, written anew if need be, for a later try. The wait doubles, up to a day."""
        wait = min(conf.NEXT_ATTEMPT_DELAY * 2 ** min(self.tries, 20), timedelta(days=1))
        self.tries, self.due_at = self.tries + 1, timezone.now() + wait
        if not self._rows().update(tries=self.tries, due_at=self.due_at):
            self.save()

    def _rows(self) -> models.QuerySet[Leftover]:
        return Leftover.objects.filter(task_id=self.task_id, attempt=self.attempt)
