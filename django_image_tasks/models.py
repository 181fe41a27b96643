"""The tables: a task, its attempts, and what an attempt may have left in a storage."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.fields import CodePointField, DeepJSONField, OrderedUUIDField
from django_image_tasks.json_values import kept_message
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.signals import task_finished, task_progressed, task_started
from django_image_tasks.states import FINISHED, STATUS_AFTER, UNFINISHED, Outcome, Status

__all__ = ["Attempt", "Task"]


def queue_lease() -> datetime:
    """The first deadline of a new task: 30 seconds from now a queue should have delivered it."""
    return timezone.now() + timedelta(seconds=30)


class Task(models.Model):
    """Long-running work on an image, from the request to its result.

    docs/reference/http.md, "A task", describes the fields that clients see. Those below
    ``expires_at`` say how the work goes on.

    Each verb is one conditional UPDATE, and changes this object as it changed the row. It raises
    :exc:`~django_image_tasks.exceptions.InvalidTransition`, and writes nothing, where the row is no
    longer what the verb starts from.
    """

    id = OrderedUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = CodePointField(_("name"), max_length=255, blank=True)
    type = CodePointField(_("type"), max_length=64)
    status = CodePointField(
        _("status"), max_length=16, choices=Status.choices, default=Status.PENDING
    )
    owner = CodePointField(_("owner"), max_length=255)
    user_id = CodePointField(_("user id"), max_length=255, blank=True)
    request_id = CodePointField(_("request id"), max_length=68, blank=True)
    image_id = CodePointField(_("image id"), max_length=36, blank=True)
    input = DeepJSONField(_("input"), default=dict)
    result = DeepJSONField(_("result"), null=True, blank=True)
    message = models.TextField(_("message"), blank=True)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    available_at = models.DateTimeField(_("available at"), null=True, blank=True)
    bytes_done = models.PositiveBigIntegerField(_("bytes done"), default=0)
    bytes_total = models.PositiveBigIntegerField(_("bytes in total"), null=True, blank=True)
    lease_owner = CodePointField(_("lease owner"), max_length=64, blank=True)
    # Deadline of whoever holds the task. Processing: the worker must renew the lease by then.
    # Pending: the queue must have delivered it by then. Past it the sweep takes over. Null once
    # finished.
    lease_expires_at = models.DateTimeField(
        _("lease expires at"), null=True, blank=True, default=queue_lease
    )
    enqueued_at = models.DateTimeField(_("enqueued at"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested at"), null=True, blank=True)
    cancel_requested_by = CodePointField(_("cancel requested by"), max_length=255, blank=True)
    retry_of = OrderedUUIDField(_("retry of"), null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        permissions = [("view_all_tasks", "Can see the tasks of every owner")]
        indexes = [
            models.Index(fields=["created_at", "id"], name="image_task_created"),
            # The owner is last so that no index is narrower than image_task_owner: without
            # statistics SQLite takes the narrowest, and reads the tasks of every owner.
            models.Index(fields=["type", "created_at", "id", "owner"], name="image_task_type"),
            models.Index(fields=["status", "created_at", "id"], name="image_task_status"),
            models.Index(fields=["owner", "created_at", "id"], name="image_task_owner"),
            models.Index(
                fields=["owner", "status", "created_at", "id"], name="image_task_owner_status"
            ),
            models.Index(fields=["name", "created_at", "id"], name="image_task_name"),
            models.Index(
                fields=["owner", "name", "created_at", "id"], name="image_task_owner_name"
            ),
            models.Index(fields=["updated_at", "created_at", "id"], name="image_task_updated"),
            models.Index(
                fields=["owner", "updated_at", "created_at", "id"], name="image_task_owner_updated"
            ),
            models.Index(fields=["owner", "id"], name="image_task_owner_id"),
            models.Index(fields=["user_id", "created_at", "id", "owner"], name="image_task_user"),
            models.Index(fields=["image_id", "created_at", "id", "owner"], name="image_task_image"),
            models.Index(
                fields=["request_id", "created_at", "id", "owner"], name="image_task_request"
            ),
            models.Index(fields=["retry_of", "created_at"], name="image_task_retry_of"),
            models.Index(fields=["status", "finished_at"], name="image_task_finished"),
            models.Index(fields=["expires_at"], name="image_task_expires"),
            models.Index(fields=["status", "lease_expires_at"], name="image_task_lease"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="image_task_status_known"
            ),
            models.CheckConstraint(
                condition=Q(progress__range=(0, 100)), name="image_task_progress_percent"
            ),
            models.CheckConstraint(
                condition=Q(status__in=FINISHED, finished_at__isnull=False)
                | Q(status__in=UNFINISHED, finished_at__isnull=True),
                name="image_task_finished_when_final",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.type} {self.pk}"

    def start(self, worker: str) -> None:
        """Begin the next attempt, run by this worker."""
        now = timezone.now()
        due = Q(available_at=None) | Q(available_at__lte=now)
        with transaction.atomic(using=self._state.db):
            self._update(
                self._row_if(Status.PENDING).filter(due, attempts=self.attempts),
                status=Status.PROCESSING,
                attempts=self.attempts + 1,
                progress=0,
                bytes_done=0,
                bytes_total=None,
                started_at=now,
                lease_owner=worker,
                lease_expires_at=now + conf.LEASE,
            )
            self.history.create(number=self.attempts, worker=worker, started_at=now)
        self._send(task_started)

    def record_progress(self, done: int, total: int | None) -> None:
        """Write how many units (bytes, for an import) are done, of how many; renew the lease."""
        self._update(
            self._row_if_uncancelled(),
            progress=min(99, done * 100 // total) if total else self.progress,
            bytes_done=done,
            bytes_total=total,
            lease_expires_at=timezone.now() + conf.LEASE,
        )
        self._send(task_progressed)

    def succeed(self, result: Mapping[str, Any]) -> None:
        """End the task in ``success``, with the JSON object that its handler returned."""
        rows = self._row_if_uncancelled()
        self._end_attempt(rows, Outcome.SUCCESS, "", progress=100, result=result)

    def fail(self, message: str) -> None:
        """End the task in ``failure``."""
        self._end_attempt(self._row_if_uncancelled(), Outcome.FAILURE, message)

    def schedule_next_attempt(self, message: str, at: datetime) -> None:
        """End the attempt and go back to ``pending``; the next one starts at this time or later."""
        rows = self._row_if_uncancelled()
        self._end_attempt(rows, Outcome.RETRY, message, available_at=at, lease_expires_at=at)

    def carry_out_cancel(self) -> None:
        """End the running task in ``failure``, because somebody asked to cancel it."""
        cancelled = self.row_if_held().filter(cancel_requested_at__isnull=False)
        self._end_attempt(cancelled, Outcome.FAILURE, f"Cancelled by {self.cancel_requested_by}")

    def end_lost_attempt(self) -> None:
        """End an attempt whose lease ran out.

        The task goes back to ``pending``, or to ``failure`` if it is cancelled or this was the last
        of ``MAX_ATTEMPTS``.
        """
        now = timezone.now()
        lost = self.row_if_held().filter(lease_expires_at__lte=now)
        uncancelled = lost.filter(cancel_requested_at=None)
        if self.cancel_requested_at:
            self._end_attempt(lost, Outcome.FAILURE, f"Cancelled by {self.cancel_requested_by}")
        elif self.attempts < conf.MAX_ATTEMPTS:
            at_once = {"available_at": now, "lease_expires_at": now}
            self._end_attempt(uncancelled, Outcome.LOST, "The worker was lost", **at_once)
        else:
            message = f"The worker was lost, in the last of {self.attempts} attempts"
            self._end_attempt(uncancelled, Outcome.FAILURE, message)

    def cancel(self, by: str) -> None:
        """End a pending task; ask the worker of a running one to stop. It may be repeated.

        Raises InvalidTransition if the task has finished.
        """
        with suppress(InvalidTransition):
            pending = self._row_if(Status.PENDING)
            self._end_attempt(pending, Outcome.FAILURE, f"Cancelled by {by}")
            return
        with suppress(InvalidTransition):
            uncancelled = self._row_if(Status.PROCESSING).filter(cancel_requested_at=None)
            self._update(uncancelled, cancel_requested_at=timezone.now(), cancel_requested_by=by)
            return
        self.refresh_from_db()
        if self.status == Status.PENDING:
            self.cancel(by)
        elif self.status in FINISHED:
            raise InvalidTransition(f"Task {self.pk} has already finished.")

    def leftover(self) -> Leftover:
        """Describe what the current attempt may leave in a storage; the row is not saved."""
        return Leftover(
            task_id=self.pk, attempt=self.attempts, task_type=self.type, input=self.input
        )

    def row_if_held(self) -> TaskQuerySet:
        """Find the row, if it is still processed by the worker and in the attempt known here."""
        held = {"lease_owner": self.lease_owner, "attempts": self.attempts}
        return self._row_if(Status.PROCESSING).filter(**held)

    def _row_if_uncancelled(self) -> TaskQuerySet:
        return self.row_if_held().filter(cancel_requested_at=None)

    def _row_if(self, status: Status) -> TaskQuerySet:
        return Task.objects.filter(pk=self.pk, status__unindexed=status)

    def _end_attempt(
        self, row: TaskQuerySet, outcome: Outcome, message: str, **values: Any
    ) -> None:
        """End the current attempt, and the task with it unless the outcome allows another."""
        now = timezone.now()
        message = kept_message(message)
        status = STATUS_AFTER[outcome]
        if status in FINISHED:
            expires_at = now + conf.TASK_TIME_TO_LIVE
            values |= {"finished_at": now, "expires_at": expires_at, "lease_expires_at": None}
        with transaction.atomic(using=self._state.db):
            self._update(row, status=status, message=message, lease_owner="", **values)
            ended = self.history.filter(number=self.attempts, ended_at=None).update(
                ended_at=now, outcome=outcome, message=message
            )
            if ended and outcome != Outcome.SUCCESS:
                self.leftover().save()
        if status in FINISHED:
            self._send(task_finished)

    def _update(self, row: TaskQuerySet, **values: Any) -> None:
        """Write these values to the row, and to this object; raise if the row was not found."""
        values["updated_at"] = timezone.now()
        if not row.update(**values):
            raise InvalidTransition(f"Task {self.pk} is not in a state that allows this.")
        for name, value in values.items():
            setattr(self, name, value)

    def _send(self, signal: Signal) -> None:
        send = partial(signal.send_robust, sender=Task, task=self)
        transaction.on_commit(send, using=self._state.db, robust=True)


class Attempt(models.Model):
    """One run of a task by one worker."""

    # The unique constraint below is the index.
    task = models.ForeignKey(Task, models.CASCADE, related_name="history", db_index=False)
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

    def has_result(self) -> bool:
        """Whether the attempt has a result after all. Then nothing of it may be removed."""
        succeeded = Task.objects.filter(status=Status.SUCCESS, attempts=self.attempt)
        return succeeded.filter(pk=self.task_id).exists()

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
