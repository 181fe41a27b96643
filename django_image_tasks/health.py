"""Whether tasks run at all, and why they fail: what an operator asks at three in the morning.

Every number is read from a bounded part of an index, however long the table is. Times are compared
by the clock of the database, as leases are.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from hashlib import sha256
from statistics import median, quantiles
from typing import NamedTuple
from uuid import UUID

from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_image_tasks.clock import DatabaseNow
from django_image_tasks.conf import conf
from django_image_tasks.measures import duration
from django_image_tasks.models import Attempt, LastSweep, Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import FINISHED, Status
from django_image_tasks.unmigrated import names_missing_migrations

MOST = 10_000
"""So many waiting tasks are counted."""
MOST_RUNNING = 1_000
"""So many running tasks, and ended ones of a day, are looked at; the newest ones."""
LARGEST = 10
"""So many owners, and groups of failures, are named."""
QUIET = timedelta(minutes=3)
"""A task may wait so long, and the sweep stay away, before it is worth a word."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MESSAGE_LENGTH = 500


class Level(IntEnum):
    """How well it goes, as exit codes that monitoring understands."""

    WELL = 0
    DEGRADED = 1
    NOTHING_RUNS = 2


class Running(NamedTuple):
    """A task that is being run, and when its worker was heard of last."""

    pk: UUID
    name: str
    owner: str
    worker: str
    silent: timedelta
    is_lost: bool

    @property
    def is_silent(self) -> bool:
        return is_silent(self.silent)


class Waiting(NamedTuple):
    """The task whose turn it is, and when it began to wait."""

    pk: UUID
    since: datetime


class Health(NamedTuple):
    """What an operator has to know of the whole system at one moment."""

    now: datetime
    waiting: Sequence[tuple[str, int]]
    """How many tasks are due and wait, by owner, the most first; at most ``MOST`` in all."""
    next: Waiting | None
    running: Sequence[Running]
    started_at: datetime | None
    """When an attempt began last."""
    swept_at: datetime | None
    sweeper: str
    failed: int
    """How many tasks failed within the hour, at most ``MOST_RUNNING``."""

    @property
    def due(self) -> int:
        """How many tasks wait, at most ``MOST``."""
        return sum(number for _owner, number in self.waiting)

    @property
    def level(self) -> Level:
        if self._is_stopped:
            return Level.NOTHING_RUNS
        return Level.DEGRADED if self.reasons else Level.WELL

    @property
    def workers(self) -> dict[str, list[Running]]:
        """The processes that hold tasks, with those."""
        workers = defaultdict(list)
        for each in self.running:
            workers[process_of(each.worker)].append(each)
        return dict(workers)

    @property
    def silences(self) -> dict[str, timedelta]:
        """How long each of these processes has renewed none of its leases."""
        return {name: min(each.silent for each in tasks) for name, tasks in self.workers.items()}

    @property
    def running_by_owner(self) -> list[tuple[str, int]]:
        return Counter(each.owner for each in self.running).most_common(LARGEST)

    @property
    def reasons(self) -> list[str]:
        """What is wrong, in sentences; the worst first."""
        reasons = []
        if self._waits_long:
            reasons.append(self._told_of_waiting())
        lost = [each for each in self.running if each.is_lost]
        silent = {
            name: time
            for name, time in self.silences.items()
            if is_silent(time) and time < conf.LEASE
        }
        if lost:
            text = ngettext(
                "The worker of %(number)d task is lost.",
                "The workers of %(number)d tasks are lost.",
                len(lost),
            )
            reasons.append(text % {"number": len(lost)})
        if silent:
            longest = max(silent, key=lambda name: silent[name])
            text = _("Worker %(worker)s has been silent for %(time)s.")
            words = {"worker": longest, "time": duration(silent[longest])}
            reasons.append(text % words)
        if self.swept_at is None:
            reasons.append(_("No sweep has ever run."))
        elif self.now - self.swept_at > QUIET:
            told = {"time": duration(self.now - self.swept_at)}
            reasons.append(_("The last sweep ran %(time)s ago.") % told)
        return reasons

    @property
    def _waits_long(self) -> bool:
        return bool(self.next and self.now - self.next.since > QUIET)

    @property
    def _is_stopped(self) -> bool:
        """Whether tasks are due, and nobody starts or runs one."""
        is_quiet = self.started_at is None or self.now - self.started_at > QUIET
        return self._waits_long and is_quiet and all(each.is_lost for each in self.running)

    def _told_of_waiting(self) -> str:
        since = self.next.since if self.next else self.now
        begin = max(since, self.started_at or since)
        if self._is_stopped:
            text = ngettext(
                "Nothing was started for %(time)s while %(number)s task is due.",
                "Nothing was started for %(time)s while %(number)s tasks are due.",
                self.due,
            )
        else:
            text = ngettext(
                "%(number)s task is due, and the next one has waited for %(time)s: the workers "
                "are busy.",
                "%(number)s tasks are due, and the next one has waited for %(time)s: the workers "
                "are busy.",
                self.due,
            )
            begin = since
        return text % {"time": duration(self.now - begin), "number": self.due}


@names_missing_migrations()
def look(tasks: TaskQuerySet | None = None) -> Health:
    """See how it goes, in six queries. ``tasks`` are those that may be seen; all by default."""
    tasks = Task.objects.all() if tasks is None else tasks
    swept_at, sweeper, now = last_sweep()
    first = tasks.waiting().values_list("pk", "updated_at", "available_at").first()
    # Without a look at the status, so that the index alone answers.
    turns = tasks.filter(turn__isnull=False).order_by("turn", "created_at")
    owners = Counter(turns.values_list("owner", flat=True)[:MOST])
    # Without the list's order, in which SQLite would look through all failures for those.
    ended = tasks.filter(status=Status.FAILURE, finished_at__gte=now - HOUR).order_by()
    return Health(
        now=now,
        waiting=owners.most_common(),
        next=first and Waiting(first[0], max(filter(None, first[1:]))),
        running=_running(tasks),
        started_at=Attempt.objects.order_by("-pk").values_list("started_at", flat=True).first(),
        swept_at=swept_at,
        sweeper=sweeper,
        failed=ended.values("pk")[:MOST_RUNNING].count(),
    )


class Sweep(NamedTuple):
    """When the last sweep began, whose it was, and what time it is on the same clock."""

    ran_at: datetime | None
    sweeper: str
    now: datetime


def last_sweep() -> Sweep:
    """See when the sweep ran last, in one query."""
    sweep = LastSweep.objects.values_list("ran_at", "sweeper", DatabaseNow()).first()
    return Sweep(*(sweep or (None, "", timezone.now())))


def _running(tasks: TaskQuerySet) -> list[Running]:
    rows = tasks.filter(status=Status.PROCESSING).order_by("created_at", "id")
    columns = ("pk", "name", "owner", "lease_owner", "lease_expires_at")
    return [
        Running(pk, name, owner, worker, silence(ends, now), ends is not None and ends <= now)
        for pk, name, owner, worker, ends, now in rows.values_list(*columns, DatabaseNow())[
            :MOST_RUNNING
        ]
    ]


def silence(lease_expires_at: datetime | None, now: datetime) -> timedelta:
    """How long a worker has not renewed a lease that ends then."""
    if lease_expires_at is None:
        return timedelta()
    return max(timedelta(), now - (lease_expires_at - conf.LEASE))


def is_silent(silent: timedelta) -> bool:
    """Whether a worker that renews its leases in thirds of them has missed one."""
    return silent > conf.LEASE / 2


def process_of(worker: str) -> str:
    """A worker without its attempt: the executor names host, process and attempt."""
    return ":".join(worker.split(":")[:2])


class Group(NamedTuple):
    """Failures of a day whose messages are the same but for digits and addresses."""

    key: str
    message: str
    """That of the newest one."""
    example: UUID
    number: int
    finished_at: datetime
    ids: Sequence[UUID]


class Times(NamedTuple):
    """How long the tasks of a type waited and ran, in seconds: the median, and for 95 of 100."""

    type: str
    number: int
    waited: timedelta
    waited_95: timedelta
    ran: timedelta
    ran_95: timedelta


def failures(tasks: TaskQuerySet, now: datetime) -> list[Group]:
    """The failures of the last day by message, the most frequent first; the newest 1,000 of them.

    One query.
    """
    rows = tasks.filter(status=Status.FAILURE, finished_at__gte=now - DAY)
    columns = ("pk", "finished_at", Substr("message", 1, MESSAGE_LENGTH))
    groups: dict[str, Group] = {}
    for pk, finished_at, message in rows.order_by("-finished_at").values_list(*columns)[
        :MOST_RUNNING
    ]:
        key = sha256(fold(message).encode()).hexdigest()[:12]
        group = groups.get(key) or Group(key, message, pk, 0, finished_at, [])
        groups[key] = group._replace(number=group.number + 1, ids=[*group.ids, pk])
    return sorted(groups.values(), key=lambda group: -group.number)


ADDRESS = re.compile(r"https?://\S+|\[[0-9A-Fa-f:.]+\]|(?:[\w-]+\.)+[A-Za-z][\w-]*(?::\d+)?")
HEXADECIMAL = re.compile(r"\b(?=[0-9a-fA-F-]*\d)[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*\b")


def fold(message: str) -> str:
    """A message without what differs from one failure to the next: addresses, ids and numbers."""
    for kind in (ADDRESS, HEXADECIMAL, re.compile(r"\d+(?:[.,:]\d+)*")):
        message = kind.sub("…", message)
    return message


def times(tasks: TaskQuerySet, now: datetime) -> list[Times]:
    """How long the tasks of each type waited and ran that ended within a day; the newest 1,000.

    Two queries, one for each final status.
    """
    waits, runs = defaultdict(list), defaultdict(list)
    for status in FINISHED:
        rows = tasks.filter(status=status, finished_at__gte=now - DAY).order_by("-finished_at")
        columns = ("type", "created_at", "started_at", "finished_at", "attempts")
        for type_, created, started, finished, attempts in rows.values_list(*columns)[
            : MOST_RUNNING // 2
        ]:
            if started:
                runs[type_].append(finished - started)
            if attempts == 1:  # of others nobody knows when the first one began
                waits[type_].append(started - created)
    return [
        Times(type_, len(runs[type_]), *_middle(waits[type_]), *_middle(runs[type_]))
        for type_ in sorted(runs)
    ]


def _middle(spans: Iterable[timedelta]) -> tuple[timedelta, timedelta]:
    seconds = [max(0.0, span.total_seconds()) for span in spans] or [0.0]
    upper = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return timedelta(seconds=median(seconds)), timedelta(seconds=upper)
