"""The contract of handlers: what runs the tasks of one type, and what it is given to do so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.dispatch import Signal

__all__ = ["Context", "Handler", "Kept"]


@dataclass(frozen=True)
class Kept:
    """What an earlier attempt at the task kept for the ones after it."""

    state: Mapping[str, Any]
    """What it gave to :meth:`Context.checkpoint` last."""
    scratch: Path | None
    """Its directory, as it was left in whatever moment, if it can be reached from here."""


class Context(Protocol):
    """What a handler is given for one attempt at one task. It shows no model and no request."""

    task_id: UUID
    attempt: int
    """1 for the first run, one more for each that follows."""
    input: Mapping[str, Any]
    """The task's input, valid under the handler's ``input_schema``."""
    scratch: Path
    """An empty directory for this attempt alone, removed when the attempt ends in whatever way,
    unless :meth:`checkpoint` keeps it."""
    kept: Kept | None
    """What an earlier attempt kept with :meth:`checkpoint`; ``None`` if there is nothing."""
    deadline: datetime
    """When the attempt must have ended (aware)."""
    stopped: Event
    """Set, by another thread, once the attempt must stop: within a second or two of a cancel."""

    def progress(self, done: int, total: int | None = None) -> None:
        """Report ``done`` of ``total`` units (bytes, for an import).

        Cheap enough to call for every chunk: at most one report a second is written.
        Raises :exc:`~django_image_tasks.exceptions.TaskInterrupted` when the attempt must stop, and
        :exc:`~django_image_tasks.exceptions.TaskFailed` inside ``transaction.atomic()``, where the
        report would keep the task's row locked.
        """

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep a JSON object of at most 8 KiB, and ``scratch``, for the attempt after this one.

        That attempt finds both in ``kept``. The state is written once a second at most, by this or
        the next :meth:`progress`, and when the attempt raises AttemptFailed: of one that is killed
        or handed over, what was given in the last second may be missing. Raises what
        :meth:`progress` raises, and TaskFailed for a state that cannot be kept.
        """

    def check(self) -> None:
        """Raise :exc:`~django_image_tasks.exceptions.TaskInterrupted` if the attempt must stop.

        It costs next to nothing. Call it before what cannot be undone.
        """

    def on_stop(self, callback: Callable[[], object]) -> AbstractContextManager[None]:
        """Have ``callback`` called in another thread if the attempt must stop in the block.

        It ends what the handler waits for: ``with context.on_stop(socket.close): …``. What that
        raises in the handler counts as the stop, and not as a failure.
        """


class Handler(ABC):
    """Runs the tasks of one type. Name a subclass in ``IMAGE_TASKS["HANDLERS"]``."""

    type: ClassVar[str]
    """The ``type`` of the tasks it runs, at most 64 characters."""
    title: ClassVar[str]
    """The type's name for people. The admin shows its translation."""
    input_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}
    """A JSON Schema (draft 2020-12) that every input is checked against when a task is created."""

    succeeded: ClassVar[Signal | None] = None
    """A signal to send when a success has been recorded, with ``task`` and ``result``."""

    def validate(self, input: Mapping[str, Any]) -> None:
        """Check what a schema cannot say. The client waits: use no network and no database.

        Raises :exc:`~django_image_tasks.exceptions.InvalidInput` with one line for the client.
        """
        return

    @abstractmethod
    def run(self, context: Context) -> Mapping[str, Any]:
        """Do the work and return the task's ``result``, a JSON object of at most 1 MiB.

        Raises :exc:`~django_image_tasks.exceptions.TaskFailed` with a message that a person can act
        on, or :exc:`~django_image_tasks.exceptions.AttemptFailed` if another attempt may succeed.
        Any other exception fails the task too, and no further attempt is made.
        """

    def discard(self, task_id: UUID, attempt: int, input: Mapping[str, Any]) -> None:
        """Remove what an attempt without a result may have left behind. Must be safe to repeat.

        If it raises, the sweep calls it again later, perhaps when other attempts have run.
        """
        return
