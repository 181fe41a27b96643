from tests.engines.settings import *  # noqa: F403
from tests.engines.settings import IMAGE_TASKS, NAME

IMAGE_TASKS["ENGINE"] = "django_image_tasks.engines.celery"

CELERY_TASK_DEFAULT_QUEUE = NAME
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A project's own limits, which are not for images.
CELERY_TASK_TIME_LIMIT = 2
CELERY_TASK_SOFT_TIME_LIMIT = 1
CELERY_BEAT_SCHEDULE = {
    "image-tasks-sweep": {"task": "image_tasks.sweep", "schedule": 1, "options": {"expires": 10}}
}
