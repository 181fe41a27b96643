"""RQ, through django-rq. Worker: ``manage.py rqworker``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import django_rq
from django.conf import settings
from django.core.checks import Error
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Worker, get_current_job

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver


def run_image_task(task_id: str) -> None:
    """Run the task whose turn it is, in a worker, which may be told to stop meanwhile."""
    deliver(task_id, _worker_stops())


def enqueue(task_id: str) -> None:
    """Put the id on the queue, or give up within a second or two."""
    name = conf.QUEUE or "default"
    queue = django_rq.get_queue(name, connection=_connection(name), commit_mode="auto")
    queue.enqueue(
        run_image_task,
        task_id,
        # The task's own deadline comes first: it leaves a message.
        job_timeout=int(conf.TASK_TIMEOUT.total_seconds()) + 60,
        result_ttl=0,
        failure_ttl=int(conf.TASK_TIME_TO_LIVE.total_seconds()),
    )


def check() -> Iterator[Error]:
    """Give an error unless django-rq has the queue."""
    name = conf.QUEUE or "default"
    if name not in getattr(settings, "RQ_QUEUES", {}):
        yield Error(
            f"RQ_QUEUES has no queue '{name}', which image tasks are put on.",
            hint=f"RQ_QUEUES = {{'{name}': {{'HOST': 'localhost', 'PORT': 6379, 'DB': 0}}}}",
            id="image_tasks.E019",
        )


def _worker_stops() -> Callable[[], bool] | None:
    """A function that tells whether the worker, which is this process's parent, was told to stop.

    It notes that in Redis alone. The process that it forks for a job hears of nothing.
    """
    job = get_current_job()
    if job is None:
        return None
    worker = f"{Worker.redis_worker_namespace_prefix}{job.worker_name}"
    return lambda: bool(job.connection.hexists(worker, "shutdown_requested_date"))


def _connection(name: str) -> Redis:
    """A connection that gives up after a second, not a minute, where Redis is silent."""
    connection: Redis = django_rq.get_connection(name)
    if "USE_REDIS_CACHE" not in settings.RQ_QUEUES[name]:  # type: ignore[misc]  # shared with the cache
        options = connection.connection_pool.connection_kwargs
        options |= {"retry": Retry(NoBackoff(), 0), "socket_timeout": 1}
        if "path" not in options:  # of a Unix socket
            options["socket_connect_timeout"] = 1
    return connection
