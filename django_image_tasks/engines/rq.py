"""RQ, through django-rq. Worker: ``manage.py rqworker``."""

from __future__ import annotations

from collections.abc import Iterator

import django_rq
from django.conf import settings
from django.core.checks import Error
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver


def enqueue(task_id: str) -> None:
    """Put the id on the queue, or give up within a second or two."""
    name = conf.QUEUE or "default"
    queue = django_rq.get_queue(name, connection=_connection(name), commit_mode="auto")
    queue.enqueue(
        deliver,
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


def _connection(name: str) -> Redis:
    """A connection that gives up after a second, not a minute, where Redis is silent."""
    connection: Redis = django_rq.get_connection(name)
    if "USE_REDIS_CACHE" not in settings.RQ_QUEUES[name]:  # type: ignore[misc]  # shared with the cache
        options = connection.connection_pool.connection_kwargs
        options |= {"retry": Retry(NoBackoff(), 0), "socket_timeout": 1}
        if "path" not in options:  # of a Unix socket
            options["socket_connect_timeout"] = 1
    return connection
