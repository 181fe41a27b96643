import os

from tests.engines.settings import *  # noqa: F403
from tests.engines.settings import IMAGE_TASKS, INSTALLED_APPS, NAME

os.environ["RQ_KEY_PREFIX"] = NAME
INSTALLED_APPS += ["django_rq"]
IMAGE_TASKS |= {"ENGINE": "django_image_tasks.engines.rq", "QUEUE": NAME}

PORT = os.environ.get("ENGINE_TESTS_BROKER_PORT", "6379")
# A project's own time-out, which is not for images.
RQ_QUEUES = {NAME: {"HOST": "127.0.0.1", "PORT": PORT, "DB": 0, "DEFAULT_TIMEOUT": 2}}
