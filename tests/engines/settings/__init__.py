"""What the projects of these tests have in common. The environment says what is their own."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

NAME = os.environ["ENGINE_TESTS_NAME"]
DIRECTORY = Path(os.environ["ENGINE_TESTS_DIRECTORY"])


def own_database(database: Any) -> Any:
    """The same server, and one database for the workers and for Django's create_test_db."""
    sqlite = database["ENGINE"] == "django.db.backends.sqlite3"
    name = str(DIRECTORY / "db.sqlite3") if sqlite else NAME
    return {**database, "NAME": name, "TEST": {"NAME": name}}


DATABASES["default"] = own_database(DATABASES["default"])
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = DIRECTORY / "media"
STORAGES = {
    "default": {"BACKEND": "tests.engines.storage.FaultyStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

IMAGE_TASKS: dict[str, Any] = {
    "HANDLERS": {
        "steps": "tests.engines.steps.Steps",
        "import": "django_image_tasks.handlers.image_import.ImageImport",
        "planned": "tests.faults.planned.Planned",
    },
    "ANONYMOUS_OWNER": "tests",
    "IMPORT_TRUSTED_HOSTS": ["127.0.0.1"],
    "LEASE": timedelta(seconds=5),
    "STOP_GRACE_TIME": timedelta(seconds=3),
    "SCRATCH_DIR": DIRECTORY / "scratch",
}
if os.environ.get("ENGINE_TESTS_DEFAULTS"):
    del IMAGE_TASKS["LEASE"]
IMAGE_TASKS |= json.loads(os.environ.get("ENGINE_TESTS_SETTINGS", "{}"))
if url := os.environ.get("ENGINE_TESTS_REPLICA"):
    DATABASES["replica"] = own_database(dj_database_url.parse(url))
    DATABASE_ROUTERS = ["tests.faults.replicas.ReadsFromReplica"]
INSTALLED_APPS += ["tests.faults"]

if os.environ.get("ENGINE_TESTS_TRACING"):
    from tests.engines.spans import write_spans

    write_spans(DIRECTORY / "spans")
    IMAGE_TASKS["TRACING"] = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django_image_tasks": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
