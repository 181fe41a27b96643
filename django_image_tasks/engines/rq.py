"""RQ, through django-rq. Worker: ``manage.py rqworker``."""

from __future__ import annotations

import django_rq

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver


def enqueue(task_id: str) -> None:
    # RQ kills a job at its time-out; the task's own deadline comes first and says why.
    seconds = int(conf.TASK_TIMEOUT.total_seconds()) + 60
    django_rq.get_queue(conf.QUEUE).enqueue(deliver, task_id, job_timeout=seconds, result_ttl=0)
