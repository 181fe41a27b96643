from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.fields import CodePointField, DeepJSONField, OrderedUUIDField
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.signals import task_finished, task_started
from django_image_tasks.states import FINISHED, UNFINISHED, Outcome, Status


class Task(models.Model):
    """Long-running work on an image, from request to result (api.md, "A task")."""

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
    lease_expires_at = models.DateTimeField(_("lease expires at"), null=True, blank=True)
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
            models.Index(fields=["status", "created_at", "id"], name="image_task_status"),
            models.Index(fields=["owner", "created_at", "id"], name="image_task_owner"),
            models.Index(
                fields=["owner", "status", "created_at", "id"], name="image_task_owner_status"
            ),
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

    # Each verb is one conditional UPDATE. It raises InvalidTransition, with nothing written, where
    # the row is no longer what the verb starts from.

    def start(self, worker: str, lease: timedelta) -> None:
        """Begin the next attempt, as ``worker`` and for as long as ``lease``."""
        now = timezone.now()
        with transaction.atomic():
            self._write(
                Task.objects.filter(
                    Q(available_at=None) | Q(available_at__lte=now),
                    status=Status.PENDING,
                    attempts=self.attempts,
                ),
                status=Status.PROCESSING,
                attempts=self.attempts + 1,
                progress=0,
                started_at=now,
                lease_owner=worker,
                lease_expires_at=now + lease,
            )
            self.history.create(number=self.attempts, worker=worker, started_at=now)
        transaction.on_commit(partial(task_started.send_robust, Task, task=self), robust=True)

    def succeed(self, result: Mapping[str, Any]) -> None:
        """End in ``success``, unless the lease is lost or a cancellation is recorded."""
        self._finish(
            self._held().filter(cancel_requested_at=None),
            status=Status.SUCCESS,
            progress=100,
            result=result,
            message="",
        )

    def fail(self, message: str) -> None:
        """End the running attempt, and the task with it, in ``failure``."""
        self._finish(self._held(), status=Status.FAILURE, message=message)

    def cancel(self, by: str) -> None:
        """End a pending task; ask the worker of a running one to stop. May be repeated."""
        now = timezone.now()
        try:
            self._finish(
                Task.objects.filter(status=Status.PENDING),
                status=Status.FAILURE,
                message=f"Cancelled by {by}",
            )
        except InvalidTransition:
            running = Task.objects.filter(status=Status.PROCESSING)
            with suppress(InvalidTransition):
                return self._write(
                    running.filter(cancel_requested_at=None),
                    cancel_requested_at=now,
                    cancel_requested_by=by,
                )
            self.refresh_from_db()
            if self.status == Status.PENDING:
                return self.cancel(by)
            if self.status != Status.PROCESSING:
                raise

    def _held(self) -> TaskQuerySet:
        return Task.objects.held_by(self.lease_owner, self.attempts)

    def _finish(self, rows: TaskQuerySet, **values: Any) -> None:
        now = timezone.now()
        with transaction.atomic():
            self._write(rows, finished_at=now, expires_at=now + conf.TASK_TIME_TO_LIVE, **values)
            self.history.filter(number=self.attempts, ended_at=None).update(
                ended_at=now, outcome=self.status, message=self.message
            )
        transaction.on_commit(partial(task_finished.send_robust, Task, task=self), robust=True)

    def _write(self, rows: TaskQuerySet, **values: Any) -> None:
        values["updated_at"] = timezone.now()
        if not rows.filter(pk=self.pk).update(**values):
            raise InvalidTransition(f"Task {self.pk} is not in a state that allows this.")
        for name, value in values.items():
            setattr(self, name, value)


class Attempt(models.Model):
    """One run of a task by one worker."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="history")
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
            models.UniqueConstraint(F("task"), F("number"), name="image_task_attempt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"
