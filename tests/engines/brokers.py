"""The engines under test: what each needs, how its worker is started, what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.engines.project import Process, Project
from tests.requirements import needs, needs_service

WORK = ("manage.py", "image_tasks", "work", "--every=1")


@dataclass(frozen=True)
class Engine:
    settings: str
    worker: Callable[[Project], tuple[str, ...]]
    modules: tuple[str, ...]
    port: int | None = None
    """Of the broker, if it has one."""
    clean: Callable[[str], None] = lambda name: None

    def check(self) -> None:
        for module in self.modules:
            needs(module)
        if self.port:
            needs_service("127.0.0.1", self.port)

    def start_worker(self, project: Project) -> Process:
        return project.start(*self.worker(project))


def celery_worker(project: Project) -> tuple[str, ...]:
    node = f"{project.name}-{len(project.processes)}"
    beat = ("--beat", "--schedule", str(project.directory / node))
    app = ("-m", "celery", "--app", "tests.engines.celery_app")
    return (*app, "worker", *beat, "--loglevel", "INFO", "--hostname", f"{node}@%h")


def clean_redis(name: str) -> None:
    from redis import Redis

    with Redis() as redis:
        for key in redis.scan_iter(f"{name}*"):
            redis.delete(key)


def clean_rabbitmq(name: str) -> None:
    from kombu import Connection

    with Connection("amqp://guest:guest@127.0.0.1//") as connection:
        connection.default_channel.queue_delete(name)
        connection.default_channel.exchange_delete(name)


ENGINES = {
    "django_tasks": Engine(
        "django_tasks",
        lambda project: (*WORK, "db_worker", "--interval", "0.1", "--no-startup-delay"),
        ("django_tasks_db",),
    ),
    "celery_rabbitmq": Engine("celery_rabbitmq", celery_worker, ("celery",), 5672, clean_rabbitmq),
    "celery_redis": Engine("celery_redis", celery_worker, ("celery", "redis"), 6379, clean_redis),
    "rq": Engine(
        "rq",
        lambda project: (*WORK, "rqworker", project.name),
        ("django_rq",),
        6379,
        clean_redis,
    ),
    "procrastinate": Engine(
        "procrastinate",
        lambda project: (*WORK, "procrastinate", "worker", "--fetch-job-polling-interval", "1"),
        ("procrastinate", "psycopg"),
        5432,
    ),
}
