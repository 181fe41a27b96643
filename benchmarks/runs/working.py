"""What does a task cost a worker that has nothing to do in it?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.db.models import Max, Min
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult

from benchmarks import loading
from benchmarks.markdown import ms, table, times
from benchmarks.noop import noop
from benchmarks.place import PROJECT
from benchmarks.processes import environment
from benchmarks.runs import Options
from benchmarks.sizes import SCRATCH
from benchmarks.timing import BLOCKS, milliseconds, summary
from benchmarks.users import MEASURED_OWNER
from django_image_tasks import executor
from django_image_tasks.models import Task
from django_image_tasks.services import create_task
from django_image_tasks.states import Status

TITLE = "A worker's overhead"
WORKER = ["-m", "django", "db_worker", "--batch", "--interval=0", "--no-startup-delay", "-v0"]


def measure(options: Options) -> str:
    loading.make(SCRATCH, 1000)
    tasks = 20 if options.quick else 200
    engine, ours, run = [], [], []
    for _ in range(2 if options.quick else BLOCKS):
        engine.append([_through_worker(_enqueue_noop, tasks)])
        ours.append([_through_worker(_enqueue_task, tasks)])
        run.append([_milliseconds_alone() for _ in range(tasks)])
    rows = [
        ["a task of the engine's own", ms(summary(engine)), ""],
        ["an image task", ms(summary(ours)), times(summary(ours), summary(engine))],
        [f"of that, claim and record ({_count_queries()} queries)", ms(summary(run)), ""],
    ]
    return table(["nothing to do, through `db_worker`", "each", "times the engine's own"], rows)


def _through_worker(enqueue: Callable[[], None], tasks: int) -> float:
    """Return the milliseconds a task, from the start of the first to the end of the last."""
    DBTaskResult.objects.all().delete()
    for _ in range(tasks):
        enqueue()
    command = [sys.executable, *WORKER]
    subprocess.run(command, cwd=PROJECT, env=environment(), check=True, capture_output=True)
    if DBTaskResult.objects.successful().count() != tasks:
        raise RuntimeError("The worker did not run every task")
    span = DBTaskResult.objects.aggregate(started=Min("started_at"), ended=Max("finished_at"))
    elapsed: timedelta = span["ended"] - span["started"]
    return elapsed.total_seconds() * 1000 / tasks


def _milliseconds_alone() -> float:
    task = _task()
    return milliseconds(lambda: executor.run(task.pk))


def _enqueue_noop() -> None:
    noop.enqueue("00000000-0000-0000-0000-000000000000")


def _enqueue_task() -> None:
    create_task("noop", {}, owner=str(MEASURED_OWNER))


def _task() -> Task:
    return Task.objects.create(type="noop", owner=str(MEASURED_OWNER))


def _count_queries() -> int:
    task = _task()
    with CaptureQueriesContext(connection) as captured:
        executor.run(task.pk)
    task.refresh_from_db()
    if task.status != Status.SUCCESS:
        raise RuntimeError(task.message)
    return len(captured)
