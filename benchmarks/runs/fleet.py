"""What does a worker cost the database's server, at rest and at work?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median

from django.conf import settings
from django.db import connections
from django.test import override_settings
from django_tasks_db.models import DBTaskResult
from django_tasks_db.utils import exclusive_transaction

from benchmarks import loading
from benchmarks.markdown import table
from benchmarks.place import directory
from benchmarks.processes import children
from benchmarks.runs import Options
from benchmarks.sizes import SCRATCH
from benchmarks.timing import BLOCKS
from benchmarks.users import MEASURED_OWNER
from django_image_tasks import executor
from django_image_tasks.context import TaskContext
from django_image_tasks.heartbeat import Heartbeat, Watched
from django_image_tasks.models import Task
from django_image_tasks.services import create_task
from django_image_tasks.states import UNFINISHED
from django_image_tasks.sweep import sweep

TITLE = "What workers cost the database"
TICKS = os.sysconf("SC_CLK_TCK")


def measure(options: Options) -> str:
    if options.database != "postgresql":
        return ""
    loading.make(SCRATCH, options.rows_up_to(100_000))
    # Nothing waits or runs but what is made here.
    Task.objects.filter(status__in=UNFINISHED).delete()
    often = 50 if options.quick else 200
    blocks = 2 if options.quick else BLOCKS
    operations = dict(_operations())
    spent: dict[str, list[float]] = {name: [] for name in operations}
    for _ in range(blocks):  # in turns
        DBTaskResult.objects.all().delete()
        for name, operation in operations.items():
            with override_settings(IMAGE_TASKS={**settings.IMAGE_TASKS, "LEASE": 86_400}):
                spent[name].append(_milliseconds_of_the_server(operation, often))
    rows = [
        [name, f"{median(each):.2f} ms ({min(each):.2f}–{max(each):.2f})"]
        for name, each in spent.items()
    ]
    return table(["time of the server's processors for", "each"], rows)


def _operations() -> Iterator[tuple[str, Callable[[], object]]]:
    task = Task.objects.create(type="noop", owner=str(MEASURED_OWNER))
    task.start("worker", timedelta(hours=1))
    heartbeat = Heartbeat()
    heartbeat._watched.append(Watched(TaskContext(task, has_heartbeat=True), None))
    done = count()

    def look_with_a_connection_of_its_own() -> None:
        connections.close_all()
        heartbeat._look(paused=False)

    yield "a look of `db_worker` into its queue", _look_into_the_queue
    yield "a look of the heartbeat", lambda: heartbeat._look(paused=False)
    yield "the same, and to connect for it", look_with_a_connection_of_its_own
    yield "a renewed lease", task.renew_lease
    yield "a write of progress", lambda: task.record_progress(next(done), None)
    yield "a new task, with its ticket", _create
    yield "a claim and the record of its end", lambda: executor.run_next(has_heartbeat=False)
    yield "a sweep that finds nothing", sweep
    yield "another sweeper that asks", lambda: sweep(unless_within=timedelta(hours=1))


def _create() -> None:
    create_task("noop", {}, owner=str(MEASURED_OWNER))


def _look_into_the_queue() -> None:
    tasks = DBTaskResult.objects.ready().filter(backend_name="default", queue_name__in=["default"])
    with exclusive_transaction(tasks.db):
        tasks.get_locked()


def _milliseconds_of_the_server(operation: Callable[[], object], often: int) -> float:
    before = _seconds_of_the_server()
    for _ in range(often):
        operation()
    return (_seconds_of_the_server() - before) / often * 1000


def _seconds_of_the_server() -> float:
    """The processors' time of the server's processes, those that have ended included."""
    server = int((directory("postgresql") / "data" / "postmaster.pid").read_text().split()[0])
    living = [server, *children(server)]
    nanoseconds = [int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in living]
    stat = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return sum(nanoseconds) / 1e9 + (int(stat[13]) + int(stat[14])) / TICKS
