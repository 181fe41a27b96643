"""A day of a busy site: the same tasks each time, up to the present moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.utils import timezone

from django_image_tasks.models import Attempt, LastSweep, Task
from django_image_tasks.services import retry_task
from django_image_tasks.states import Outcome, Status

MIRROR = "https://images.example.org"
IMAGES = {
    "debian-12-genericcloud": ("qcow2", 350_000_000),
    "ubuntu-24.04-server": ("qcow2", 620_000_000),
    "fedora-cloud-44": ("qcow2", 540_000_000),
    "rocky-9-base": ("qcow2", 1_120_000_000),
    "alpine-3.22-virt": ("iso", 66_000_000),
    "cirros-0.6.3": ("qcow2", 21_000_000),
    "windows-server-2025": ("vhdx", 9_400_000_000),
}
WAITING = {9: "alpine-3.22-virt", 14: "debian-12-genericcloud", 31: "cirros-0.6.3"}
"""Seconds → image."""
OWNERS = ["research", "platform", "web", "ci"]
WORKERS = ["worker-1:412:9f3c21ab", "worker-2:388:04d1be77", "worker-3:401:6a90cc5e"]
FAULTS = [
    "Source answered 404 Not Found",
    "Declared qcow2, found raw",
    "images.example.org:443 redirects to http://10.0.0.7, which is not allowed",
]
LOST = "The worker was lost"
SILENT = "images.example.org:443 was silent for 30 s (in the last of 3 attempts)"
TOTAL = 260


def live_through() -> dict[str, Task]:
    """Create the day's tasks; returns those that pages are shown of."""
    random, now = Random(6), timezone.now()
    tasks = [_finished(random, now, age) for age in _ages(random)]
    waiting = [_waiting(random, now, seconds, image) for seconds, image in WAITING.items()]
    tasks += waiting
    Task.objects.bulk_create(tasks)
    Attempt.objects.bulk_create(attempt for task in tasks for attempt in _attempts(task))
    LastSweep.objects.create(pk=1, ran_at=now, sweeper="worker-1:412", ticket_at=now)
    failed = _failed_for_good(random, now)
    retried = retry_task(failed, user_id="mia", request_id=_request_id(random))
    Task.objects.filter(pk=retried.pk).update(created_at=now - timedelta(minutes=4))
    return {
        "failed": failed,
        "waiting": waiting[2],
        "done": next(task for task in tasks if task.status == Status.SUCCESS),
        "running": _running(random, now, "ubuntu-24.04-server", 0.62),
        "also running": _running(random, now, "rocky-9-base", 0.17),
    }


def _ages(random: Random) -> Iterator[timedelta]:
    """Fewer at night."""
    for _ in range(TOTAL):
        yield timedelta(hours=24 * random.betavariate(1.1, 1.6), minutes=2)


def _task(random: Random, created_at: datetime, image: str = "", **values: Any) -> Task:
    image = image or random.choice(list(IMAGES))
    disk_format, size = IMAGES[image]
    return Task(
        id=_uuid(random),
        type="import",
        name=image,
        owner=random.choice(OWNERS),
        user_id="mia",
        request_id=_request_id(random),
        input={
            "import_from": f"{MIRROR}/{image}.{disk_format}",
            "import_from_format": disk_format,
            "image_properties": {"name": image, "container_format": "bare"},
        },
        created_at=created_at,
        updated_at=created_at,
        bytes_total=size,
        **values,
    )


def _finished(random: Random, now: datetime, age: timedelta) -> Task:
    task = _task(random, now - age)
    task.started_at = task.created_at + timedelta(seconds=random.uniform(0.1, 9))
    took = (task.bytes_total or 0) / random.uniform(30e6, 110e6)
    task.finished_at = min(now, task.started_at + timedelta(seconds=took))
    task.updated_at, task.lease_expires_at = task.finished_at, None
    task.expires_at = task.finished_at + timedelta(hours=48)
    task.lease_owner, task.attempts = random.choice(WORKERS), 1
    out_of_order = timedelta(hours=9) < age < timedelta(hours=11)
    if random.random() < (0.55 if out_of_order else 0.05):
        task.status, task.message = Status.FAILURE, random.choice(FAULTS)
        task.progress = random.randrange(100)
    else:
        task.status, task.progress, task.result = Status.SUCCESS, 100, _result(random, task)
        task.bytes_done = task.bytes_total or 0
    return task


def _result(random: Random, task: Task) -> dict[str, Any]:
    image_id = str(_uuid(random))
    return {
        "image_id": image_id,
        "name": task.name,
        "location": f"images/{image_id}/{task.pk}-1",
        "size": task.bytes_total,
        "disk_format": task.input["import_from_format"],
        "container_format": "bare",
    }


def _waiting(random: Random, now: datetime, seconds: int, image: str) -> Task:
    task = _task(random, now - timedelta(seconds=seconds), image, turn=0)
    task.bytes_total, task.lease_expires_at = None, now + timedelta(hours=1)
    return task


def _running(random: Random, now: datetime, image: str, share: float) -> Task:
    task = _task(random, now - timedelta(seconds=12), image)
    total = task.bytes_total or 0
    task.save()
    task.start(WORKERS[0])
    task.record_progress(int(total * share), total)
    started_at, lease = now - timedelta(seconds=8), now + timedelta(hours=1)
    Task.objects.filter(pk=task.pk).update(started_at=started_at, lease_expires_at=lease)
    task.history.update(started_at=started_at)
    return task


def _failed_for_good(random: Random, now: datetime) -> Task:
    """After three attempts, one of them lost with its worker."""
    start = now - timedelta(minutes=9)
    task = _task(random, start - timedelta(seconds=2), "windows-server-2025", attempts=3)
    task.status, task.message, task.progress = Status.FAILURE, SILENT, 41
    task.started_at, task.lease_owner = start + timedelta(seconds=130), WORKERS[2]
    task.bytes_done = int(0.41 * (task.bytes_total or 0))
    task.finished_at = task.updated_at = start + timedelta(seconds=215)
    task.expires_at, task.lease_expires_at = task.finished_at + timedelta(hours=48), None
    task.save()
    told = SILENT.partition(" (")[0]
    for number, (worker, begin, end, outcome, message) in enumerate(
        [
            (WORKERS[0], 0, 62, Outcome.LOST, LOST),
            (WORKERS[1], 70, 110, Outcome.RETRY, told),
            (WORKERS[2], 130, 215, Outcome.FAILURE, SILENT),
        ],
        start=1,
    ):
        task.history.create(
            number=number,
            worker=worker,
            started_at=start + timedelta(seconds=begin),
            ended_at=start + timedelta(seconds=end),
            outcome=outcome,
            message=message,
        )
    return task


def _attempts(task: Task) -> Iterator[Attempt]:
    if task.started_at:
        yield Attempt(
            task=task,
            number=1,
            worker=task.lease_owner,
            started_at=task.started_at,
            ended_at=task.finished_at,
            outcome=task.status,
            message=task.message,
        )


def _uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)


def _request_id(random: Random) -> str:
    return f"req-{_uuid(random)}"
