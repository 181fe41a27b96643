"""The table of tasks, and every change that a task may go through."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, models, router, transaction
from django.db.models import Q
from django.db.models.lookups import GreaterThan, LessThanOrEqual
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_image_tasks.clock import DatabaseNow
from django_image_tasks.conf import conf
from django_image_tasks.database_faults import outlasts_locks
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.fields import (
    CodePointField,
    DeepJSONField,
    OrderedUUIDField,
    Unindexed,
)
from django_image_tasks.json_values import kept_message
from django_image_tasks.log_lines import line
from django_image_tasks.models.attempt import Attempt
from django_image_tasks.models.leftover import Leftover
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.signals import task_finished, task_progressed, task_started
from django_image_tasks.statements import insert
from django_image_tasks.states import FINISHED, STATUS_AFTER, UNFINISHED, Outcome, Status

logger = logging.getLogger(__name__)

ANNOUNCED_WITHIN = timedelta(seconds=60)
"""So long the receivers of an end may take before a sweep takes their process for dead."""
FIRST_PAUSE = timedelta(seconds=10)
"""Between the first two announcements of an end that was not heard; each further one is doubled."""
ANNOUNCEMENTS = 10
"""So often an end is told to receivers of which one raises."""


def queue_lease() -> datetime:
    """When the sweep looks for a row that was made by hand: 30 seconds from now."""
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
    # Attempts that were lost or asked for another. MAX_ATTEMPTS limits these, and not the starts:
    # a task that every deployment hands over may be started any number of times.
    failed_attempts = models.PositiveIntegerField(_("failed attempts"), default=0, db_default=0)
    # Place in the queue that is fair to every owner: the lowest is started first. Null unless the
    # task is due and waits.
    turn = models.BigIntegerField(_("turn"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    # When the end is to be announced, if its receivers have not all heard of it. Null once they
    # have. On the clock of the database, as are the next two.
    announce_at = models.DateTimeField(_("announce at"), null=True, blank=True)
    announcements = models.PositiveSmallIntegerField(_("announcements"), default=0, db_default=0)
    available_at = models.DateTimeField(_("available at"), null=True, blank=True)
    # Processing: the worker must renew the lease by then, or the sweep takes the task from it.
    # Pending: the task gets a turn then; null if it has one. Null once finished.
    lease_expires_at = models.DateTimeField(
        _("lease expires at"), null=True, blank=True, default=queue_lease
    )
    lease_owner = CodePointField(_("lease owner"), max_length=64, blank=True)
    bytes_done = models.PositiveBigIntegerField(_("bytes done"), default=0)
    bytes_total = models.PositiveBigIntegerField(_("bytes in total"), null=True, blank=True)
    # What an attempt kept for the ones after it, and which attempt that was.
    checkpoint = DeepJSONField(null=True, editable=False)
    checkpoint_attempt = models.PositiveIntegerField(null=True, editable=False)
    cancel_requested_at = models.DateTimeField(_("cancel requested at"), null=True, blank=True)
    cancel_requested_by = CodePointField(_("cancel requested by"), max_length=255, blank=True)
    retry_of = OrderedUUIDField(_("retry of"), null=True, blank=True)
    # Digests, of the owner with the key, and of the body. Null without a key.
    idempotency_key = CodePointField(max_length=64, null=True, editable=False)
    idempotency_body = CodePointField(max_length=64, null=True, editable=False)
    # The span that made the task, as W3C's Trace Context writes it. Null where nobody traces.
    traceparent = CodePointField(max_length=55, null=True, editable=False)

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
            # The owner is last so that those who may run no more are passed over in the index.
            models.Index(fields=["turn", "created_at", "id", "owner"], name="image_task_turn"),
            models.Index(fields=["owner", "turn"], name="image_task_owner_turn"),
            models.Index(fields=["announce_at"], name="image_task_announce"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key"], name="image_task_idempotency"),
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

    @property
    def _db(self) -> str:
        """The database that is written to, which alone is asked where something is decided."""
        return router.db_for_write(Task)

    def _do_insert(
        self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool
    ) -> Any:
        """Django's own, by SQL that is kept: to write it anew took a tenth of a POST."""
        bound = [(field, getattr(self, field.attname)) for field in fields]
        has_expression = any(hasattr(value, "resolve_expression") for _, value in bound)
        if type(self) is not Task or not conf.KEEP_SQL or has_expression:
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        insert(using, Task, bound)
        return []

    def wait_for_turn(self) -> None:
        """Let a pending task that has become due wait for its turn."""
        turn = Task.objects.for_deciding().next_turn(self.owner)
        row = self._row_if(Status.PENDING, attempts=self.attempts)
        self._write(row, {"turn": turn, "lease_expires_at": None})

    def start(self, worker: str, lease: timedelta | None = None) -> None:
        """Begin the next attempt, run by this worker, with a lease of ``LEASE`` or so long."""
        row = self._row_if(Status.PENDING, attempts=self.attempts)
        now = timezone.now()
        values = {
            "status": Status.PROCESSING,
            "attempts": self.attempts + 1,
            "turn": None,
            "progress": 0,
            "bytes_done": 0,
            "bytes_total": None,
            "started_at": now,
            "lease_owner": worker,
            "lease_expires_at": DatabaseNow() + (lease or conf.LEASE),
        }
        attempt = Attempt(task=self, number=self.attempts + 1, worker=worker, started_at=now)
        self._update(row, values, lambda: attempt.save(force_insert=True))
        self._send(task_started)

    def record_progress(self, done: int, total: int | None) -> None:
        """Write how many units (bytes, for an import) are done, of how many."""
        progress = min(99, done * 100 // total) if total else self.progress
        values = {"progress": progress, "bytes_done": done, "bytes_total": total}
        self._update(self._row_if_leased(), values)
        self._send(task_progressed)

    def record_checkpoint(self) -> None:
        """Write ``checkpoint``, which is this attempt's, for the next one."""
        self._write(self._row_if_leased(), self._values_of_checkpoint())

    def renew_lease(self) -> None:
        """Move the lease's end to ``LEASE`` from now, even if it has passed and nobody noticed."""
        lease_expires_at = DatabaseNow() + conf.LEASE
        row = self.row_if_held(cancel_requested_at=None)
        self._write(row, {"lease_expires_at": lease_expires_at})

    def succeed(self, result: Mapping[str, Any]) -> None:
        """End the task in ``success``, with the JSON object that its handler returned."""
        self._end_attempt(self._row_if_leased(), Outcome.SUCCESS, "", progress=100, result=result)

    def fail(self, message: str, *, handler_returned: bool = True) -> None:
        """End the task in ``failure``."""
        row = self._row_if_leased()
        self._end_attempt(row, Outcome.FAILURE, message, handler_returned=handler_returned)

    def schedule_next_attempt(self, message: str, delay: timedelta) -> None:
        """End the attempt and go back to ``pending``; the next one starts this much later."""
        due = DatabaseNow() + delay
        values = {"available_at": due, "lease_expires_at": due, **self._one_more_failed()}
        values |= self._values_of_checkpoint()  # the last one may not have been written yet
        self._end_attempt(self._row_if_leased(), Outcome.RETRY, message, **values)

    def hand_over(self, *, handler_returned: bool = True) -> None:
        """End the attempt and go back to ``pending``, first in turn. It costs no attempt."""
        row, message = self._row_if_leased(), "The worker was told to stop"
        values = {"handler_returned": handler_returned, **self._first_in_turn()}
        self._end_attempt(row, Outcome.HANDED_OVER, message, **values)

    def carry_out_cancel(self, *, handler_returned: bool = True) -> None:
        """End the running task in ``failure``, because somebody asked to cancel it."""
        row = self.row_if_held(cancel_requested_at__isnull=False)
        message = f"Cancelled by {self.cancel_requested_by}"
        self._end_attempt(row, Outcome.FAILURE, message, handler_returned=handler_returned)

    def end_lost_attempt(self) -> None:
        """End an attempt whose lease ran out.

        The task goes back to ``pending``, or to ``failure`` if it is cancelled or this was the last
        of ``MAX_ATTEMPTS``.
        """
        expired = LessThanOrEqual(Unindexed("lease_expires_at"), DatabaseNow())
        uncancelled = self.row_if_held(expired, cancel_requested_at=None)
        if self.cancel_requested_at:
            lost = self.row_if_held(expired)
            self._end_attempt(lost, Outcome.FAILURE, f"Cancelled by {self.cancel_requested_by}")
        elif self.may_be_tried_again:
            values = self._one_more_failed() | self._first_in_turn()
            self._end_attempt(uncancelled, Outcome.LOST, "The worker was lost", **values)
        else:
            message = f"The worker was lost, in the last of {self.attempts} attempts"
            self._end_attempt(uncancelled, Outcome.FAILURE, message)

    def lock_unless_locked(self) -> bool:
        """Lock the row until the transaction ends. Returns whether it was free."""
        rows = Task.objects.for_deciding().filter(pk=self.pk)
        skips = connections[rows.db].features.has_select_for_update_skip_locked
        return rows.select_for_update(skip_locked=skips).values_list("pk").first() is not None

    @property
    def may_be_tried_again(self) -> bool:
        """Whether ``MAX_ATTEMPTS`` allows another attempt if the current one fails."""
        return self.failed_attempts + 1 < conf.MAX_ATTEMPTS

    def cancel(self, by: str) -> None:
        """End a pending task; ask the worker of a running one to stop. It may be repeated.

        Raises InvalidTransition if the task has finished.
        """
        with suppress(InvalidTransition):
            pending = self._row_if(Status.PENDING)
            self._end_attempt(pending, Outcome.FAILURE, f"Cancelled by {by}")
            return
        with suppress(InvalidTransition):
            uncancelled = self._row_if(Status.PROCESSING, cancel_requested_at=None)
            asked = {"cancel_requested_at": timezone.now(), "cancel_requested_by": by}
            self._update(uncancelled, asked)
            return
        self.refresh_from_db(using=self._db)
        if self.status == Status.PENDING:
            self.cancel(by)
        elif self.status in FINISHED:
            raise InvalidTransition(f"Task {self.pk} has already finished.")

    def announce_end(self) -> None:
        """Send ``task_finished``. If a receiver raises, the sweep does so again, ten times in all.

        The pause before the next time begins with ten seconds, and doubles.
        """
        heard = self._tell_of_end()
        done = heard or self.announcements >= ANNOUNCEMENTS
        if done and not heard:
            logger.error(line("end_not_heard", task=self.pk, announcements=self.announcements))
        pause = FIRST_PAUSE * 2 ** (self.announcements - 1)
        Task.objects.filter(pk=self.pk).update(
            announce_at=None if done else DatabaseNow() + pause, announcements=self.announcements
        )

    @classmethod
    def announce_ends(cls, tasks: Sequence[Task]) -> None:
        """The same for tasks that ended together, in one statement if all receivers have heard."""
        unheard = [task.pk for task in tasks if not task._tell_of_end()]
        rows = cls.objects.filter(pk__in=[task.pk for task in tasks])
        rows.exclude(pk__in=unheard).update(announce_at=None, announcements=1)
        if unheard:
            at = DatabaseNow() + FIRST_PAUSE
            rows.filter(pk__in=unheard).update(announce_at=at, announcements=1)

    def _tell_of_end(self) -> bool:
        """Send ``task_finished``. Returns whether every receiver has heard of it."""
        self.announcements += 1
        try:
            answers = task_finished.send_robust(sender=Task, task=self)
        except Exception:  # Django cannot log the error of a receiver that has no name, and raises
            return False
        return not any(isinstance(answer, Exception) for _receiver, answer in answers)

    def claim_announcement(self) -> None:
        """Have the next :meth:`announce_end` to oneself, if it is due."""
        is_due = LessThanOrEqual(Unindexed("announce_at"), DatabaseNow())
        row = Task.objects.filter(is_due, pk=self.pk)
        self._write(row, {"announce_at": DatabaseNow() + ANNOUNCED_WITHIN})

    def note_that_handler_returned(self) -> None:
        """Write when the attempt's handler returned, if the attempt had been ended before that."""
        self._attempt().filter(ended_at=None).update(ended_at=timezone.now())

    def for_log(self) -> dict[str, object]:
        """The fields by which each log line about the task names it."""
        named = {"task": self.pk, "owner": self.owner, "request": self.request_id}
        return {**named, "attempt": self.attempts}

    def leftover(self) -> Leftover:
        """Describe what the current attempt may leave in a storage; the row is not saved."""
        return Leftover(
            task_id=self.pk, attempt=self.attempts, task_type=self.type, input=self.input
        )

    def row_if_held(self, *conditions: Any, **values: Any) -> TaskQuerySet:
        """Find the row, if it is still processed by the worker and in the attempt known here."""
        values |= {"lease_owner": self.lease_owner, "attempts": self.attempts}
        return self._row_if(Status.PROCESSING, *conditions, **values)

    def _row_if_leased(self) -> TaskQuerySet:
        leased = GreaterThan(Unindexed("lease_expires_at"), DatabaseNow())
        return self.row_if_held(leased, cancel_requested_at=None)

    def _row_if(self, status: Status, *conditions: Any, **values: Any) -> TaskQuerySet:
        # One filter() for all, as each one copies the query.
        values |= {"pk": self.pk, "status__unindexed": status}
        return Task.objects.for_deciding().filter(*conditions, **values)

    def _attempt(self) -> models.QuerySet[Attempt]:
        return Attempt.objects.filter(task_id=self.pk, number=self.attempts)

    def _one_more_failed(self) -> dict[str, Any]:
        return {"failed_attempts": self.failed_attempts + 1}

    def _values_of_checkpoint(self) -> dict[str, Any]:
        return {"checkpoint": self.checkpoint, "checkpoint_attempt": self.checkpoint_attempt}

    def _first_in_turn(self) -> dict[str, Any]:
        turn = Task.objects.for_deciding().lowest_turn()
        return {"turn": turn, "available_at": None, "lease_expires_at": None}

    def _end_attempt(
        self,
        row: TaskQuerySet,
        outcome: Outcome,
        message: str,
        *,
        handler_returned: bool = True,
        **values: Any,
    ) -> None:
        """End the current attempt, and the task with it unless the outcome allows another.

        While its handler has not returned, the attempt has an outcome and no ``ended_at``.
        """
        now = timezone.now()
        message = kept_message(message)
        status = STATUS_AFTER[outcome]
        values |= {"status": status, "message": message, "lease_owner": ""}
        if status in FINISHED:
            values |= self.values_of_end(now)

        def end_history() -> None:
            ended = (
                self._attempt()
                .filter(outcome="")
                .update(
                    ended_at=now if handler_returned else None, outcome=outcome, message=message
                )
            )
            if ended and outcome != Outcome.SUCCESS:
                leftover = self.leftover()
                if not handler_returned:  # until then it may leave more
                    leftover.due_at = now + conf.TASK_TIMEOUT
                leftover.save()

        self._update(row, values, end_history)
        if "announce_at" in values:
            transaction.on_commit(self.announce_end, using=self._db, robust=True)

    @staticmethod
    def values_of_end(now: datetime) -> dict[str, Any]:
        """What changes in every task that ends now."""
        is_heard = task_finished.has_listeners(Task)  # or else there is nothing to mark
        return {
            "updated_at": now,
            "finished_at": now,
            "expires_at": now + conf.TASK_TIME_TO_LIVE,
            "lease_expires_at": None,
            "turn": None,
            **({"announce_at": DatabaseNow() + ANNOUNCED_WITHIN} if is_heard else {}),
        }

    def _update(
        self, row: TaskQuerySet, values: dict[str, Any], then: Callable[[], Any] | None = None
    ) -> None:
        """Write a change that people see, and whatever ``then`` writes with it."""
        self._write(row, {**values, "updated_at": timezone.now()}, then)

    @outlasts_locks
    def _write(
        self, row: TaskQuerySet, values: dict[str, Any], then: Callable[[], Any] | None = None
    ) -> None:
        """Write these values to the row, and to this object; raise if the row was not found."""
        with transaction.atomic(using=self._db) if then else nullcontext():
            if not row.update(**values):
                raise InvalidTransition(f"Task {self.pk} is not in a state that allows this.")
            if then:
                then()
        for name, value in values.items():
            if hasattr(value, "resolve_expression"):  # known to the database alone: read when used
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)

    def _send(self, signal: Signal) -> None:
        # No partial: it has no name, by which Django logs that a robust callback has failed.
        transaction.on_commit(
            lambda: signal.send_robust(sender=Task, task=self), using=self._db, robust=True
        )
