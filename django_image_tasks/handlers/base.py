from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.dispatch import Signal

__all__ = ["Context", "Handler"]


class Context(Protocol):
    """One attempt at one task, as its handler sees it: no model, no HTTP."""

    task_id: UUID
    attempt: int
    """1 for the first run, one more for each that follows."""
    input: Mapping[str, Any]
    """The task's input, valid under the handler's ``input_schema``."""
    scratch: Path
    """An empty directory of this attempt's own; removed when the attempt ends, however it ends."""
    deadline: datetime
    """When the attempt must have ended (aware)."""

    def progress(self, done: int, total: int | None = None) -> None:
        """Report ``done`` of ``total`` units (bytes, for an import); renews the lease.

        Cheap enough to call for every chunk: at most one report a second is written.
        Raises :exc:`~django_image_tasks.exceptions.TaskInterrupted` when the attempt must stop.
        """

    def check(self) -> None:
        """Raise :exc:`~django_image_tasks.exceptions.TaskInterrupted` if the attempt must stop.

        It asks the database each time: meant for before an irrevocable step.
        """


class Handler(ABC):
    """Runs the tasks of one type. Name a subclass in ``IMAGE_TASKS["HANDLERS"]``."""

    type: ClassVar[str]
    """The ``type`` of the tasks it runs, at most 64 characters."""
    title: ClassVar[str]
    """What people read in the admin, which looks for its translation."""
    input_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}
    """A JSON Schema (draft 2020-12) that every input is checked against when a task is created."""

    succeeded: ClassVar[Signal | None] = None
    """Sent when a success is recorded, with ``task`` and ``result``."""

    def validate(self, input: Mapping[str, Any]) -> None:
        """Check what a schema cannot say, while the client waits; no network, no database.

        Raises :exc:`~django_image_tasks.exceptions.InvalidInput` with one line for the client.
        """
        return

    @abstractmethod
    def run(self, context: Context) -> Mapping[str, Any]:
        """Do the work and return the task's ``result``, a JSON object of at most 1 MiB.

        Raise :exc:`~django_image_tasks.exceptions.TaskFailed` with a message that a person can act
        on, or :exc:`~django_image_tasks.exceptions.TaskRetry` for what another attempt may mend.
        Any other exception counts as a failure that a retry does not mend.
        """

    def discard(self, task_id: UUID, attempt: int, input: Mapping[str, Any]) -> None:
        """Remove what an attempt that has no result may have left behind. Safe to call twice.

        If it raises, the sweep calls it again: later attempts may have run by then.
        """
        return
