import os

import dj_database_url

from tests.engines.settings import *  # noqa: F403
from tests.engines.settings import DATABASES, IMAGE_TASKS, INSTALLED_APPS, own_database

INSTALLED_APPS += ["procrastinate.contrib.django"]
IMAGE_TASKS["ENGINE"] = "django_image_tasks.engines.procrastinate"
PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "always", "shutdown_graceful_timeout": 1}

if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    DATABASES["default"] = own_database(dj_database_url.parse("postgres://postgres@127.0.0.1:5432"))

if port := os.environ.get("ENGINE_TESTS_BROKER_PORT"):
    DATABASES["queue"] = {**DATABASES["default"], "PORT": port, "OPTIONS": {"connect_timeout": 1}}
    PROCRASTINATE_DATABASE_ALIAS = "queue"
