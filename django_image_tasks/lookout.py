"""Looks once a second at the tasks that requests of this process wait for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections

from django_image_tasks.log_lines import with_traceback
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks."""
MOST = 10_000
"""Ids in one query: SQLite takes 32,766 parameters."""

State = Sequence[Any]
"""``status`` and ``updated_at``."""


class Waiter(NamedTuple):
    task: UUID
    seen: datetime | None
    """Any other ``updated_at`` is what is waited for; None waits for the end."""
    is_over: asyncio.Future[None]

    def is_met_by(self, state: State | None) -> bool:
        if state is None:  # nobody waits for a task that is gone
            return True
        status, updated_at = state
        return status in FINISHED or (self.seen is not None and updated_at != self.seen)


class Lookout:
    """All waiters of an event loop: one thread looks for them, and only while there are any."""

    def __init__(self) -> None:
        self._waiters: set[Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, task: UUID, seen: datetime | None) -> None:
        """Return when the task has ended or is gone, or with ``seen``, when it has changed."""
        waiter = Waiter(task, seen, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        self._looking = self._looking or asyncio.create_task(self._look_each_second())
        try:
            await waiter.is_over
        finally:
            self._waiters.discard(waiter)

    async def _look_each_second(self) -> None:
        run = asyncio.get_running_loop().run_in_executor
        with ThreadPoolExecutor(1, "image-tasks-lookout") as thread:
            try:
                while self._waiters:
                    await asyncio.sleep(PAUSE)
                    tasks = {waiter.task for waiter in self._waiters}
                    self._tell(await run(thread, _states_of, tasks))
            finally:
                self._looking = None
                thread.submit(connections.close_all)

    def _tell(self, states: Mapping[UUID, State] | None) -> None:
        if states is None:
            return
        for waiter in self._waiters:
            if waiter.is_met_by(states.get(waiter.task)) and not waiter.is_over.done():
                waiter.is_over.set_result(None)


def _states_of(tasks: Iterable[UUID]) -> Mapping[UUID, State] | None:
    """What the database says of these tasks; None where it says nothing."""
    ids, states = list(tasks), dict[UUID, State]()
    try:
        for start in range(0, len(ids), MOST):
            rows = Task.objects.for_deciding().filter(pk__in=ids[start : start + MOST])
            for pk, *state in rows.values_list("pk", "status", "updated_at"):
                states[pk] = state
    except Exception as error:
        # If it lasts, the waiters' time runs out, and the view says what is wrong.
        logger.warning(with_traceback("lookout_failed", error))
        connections.close_all()  # so that the next look begins with a new one
        return None
    return states
