"""A change that finds a lock of somebody else's in its way is tried again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from django_image_tasks import bulk, claims
from django_image_tasks.models import Task
from django_image_tasks.services import create_task
from django_image_tasks.sweep import purge
from tests.engine import workload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def without_queue(image_tasks: Any) -> None:
    image_tasks["ENGINE"] = workload.__name__


@contextmanager
def locked(times: int, code: int = sqlite3.SQLITE_BUSY) -> Iterator[list[str]]:
    """The next so many writes meet a lock, as SQLite says it. The list has their statements."""
    met: list[str] = []

    def lock(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and len(met) < times:
            met.append(sql)
            cause = sqlite3.OperationalError("database is locked")
            cause.sqlite_errorcode = code
            raise OperationalError("database is locked") from cause
        return execute(sql, *rest)

    with connection.execute_wrapper(lock):
        yield met


def pending(make_task: Callable[..., Task]) -> Task:
    return make_task(turn=0)


def lost(make_task: Callable[..., Task]) -> Task:
    task = make_task()
    task.start("worker")
    Task.objects.update(lease_expires_at=timezone.now())
    return task


def failed(make_task: Callable[..., Task]) -> Task:
    return make_task(status="failure", expires_at=timezone.now())


CHANGES: dict[str, tuple[Any, Callable[[Task], object]]] = {
    "start": (pending, lambda task: claims.claim_next(timedelta(minutes=1))),
    "cancel": (pending, lambda task: task.cancel("mia")),
    "recover": (lost, claims.end_lost_attempt),
    "purge": (failed, lambda task: purge()),
    "cancel many": (pending, lambda task: list(bulk.cancel_tasks([task.pk], "mia"))),
    "retry many": (failed, lambda task: list(bulk.retry_tasks([task.pk]))),
    "create again": (
        failed,
        lambda task: create_task("workload", {}, owner="1", idempotency_key="key"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_lock_that_passes_stops_no_change(make_task: Callable[..., Task], change: str) -> None:
    begin, act = CHANGES[change]
    task = begin(make_task)
    before = list(Task.objects.values())

    with locked(2) as met:
        act(task)

    assert len(met) == 2
    assert list(Task.objects.values()) != before


def test_a_lock_that_stays_is_told_in_the_end(make_task: Callable[..., Task]) -> None:
    task = make_task()

    with locked(100) as met, pytest.raises(OperationalError):
        task.start("worker")

    assert len(met) == 6


def test_another_fault_is_told_at_once(make_task: Callable[..., Task]) -> None:
    task = make_task()

    with locked(100, sqlite3.SQLITE_CORRUPT) as met, pytest.raises(OperationalError):
        task.start("worker")

    assert len(met) == 1


def test_in_a_transaction_of_the_callers_nothing_is_tried_again(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()

    with locked(100) as met, pytest.raises(OperationalError), transaction.atomic():
        task.start("worker")

    assert len(met) == 1
