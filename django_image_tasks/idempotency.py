"""One task for a request that is sent again (docs/reference/http.md, "Sending it again")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple, Self

from django.db import IntegrityError, router, transaction
from django.utils import timezone

from django_image_tasks.database_faults import outlasts_locks
from django_image_tasks.exceptions import InvalidInput, KeyInUse, KeyReused
from django_image_tasks.models import Task


class Repeatable(NamedTuple):
    """What tells that two requests are one, as the row of their task keeps it."""

    idempotency_key: str
    idempotency_body: str

    @classmethod
    def of(cls, owner: str, key: str, body: Mapping[str, Any]) -> Self:
        """Raises InvalidInput for a key that is none. In ``body`` the order does not count."""
        if not re.fullmatch("[ -~]{1,255}", key):
            raise InvalidInput("An Idempotency-Key is 1 to 255 printable ASCII characters.")
        return cls(_digest([owner, key]), _digest(body))

    def find(self) -> Task | None:
        """The task of the request that was the first; the key of an expired task is set free.

        Raises :exc:`~django_image_tasks.exceptions.KeyReused` if that one had another body.
        """
        rows = Task.objects.for_deciding().filter(idempotency_key=self.idempotency_key)
        if (task := rows.first()) is None:
            return None
        if task.expires_at and task.expires_at <= timezone.now():
            rows.filter(pk=task.pk).update(idempotency_key=None)
            return None
        if task.idempotency_body != self.idempotency_body:
            raise KeyReused
        return task

    @outlasts_locks
    def insert(self, task: Task) -> Task:
        """Save a new task, unless another request was faster: then that one's task is returned.

        Raises :exc:`~django_image_tasks.exceptions.KeyInUse` if that one's task cannot be seen yet.
        """
        task.idempotency_key, task.idempotency_body = self
        try:
            with transaction.atomic(using=router.db_for_write(Task)):
                task.save(force_insert=True)
        except IntegrityError:
            if first := self.find():
                return first
            # The caller's transaction sees a past in which there is no such task yet.
            raise KeyInUse from None
        return task


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
