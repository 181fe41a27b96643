"""The example project as a browser and a worker see it: in processes of their own."""

import os
from datetime import timedelta
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, MIDDLEWARE

# The database of the test that looks on.
DATABASES["default"]["NAME"] = os.environ["BROWSER_TESTS_DATABASE"]
DIRECTORY = Path(os.environ["BROWSER_TESTS_DIRECTORY"])

ALLOWED_HOSTS = ["127.0.0.1"]
IMAGE_TASKS = {
    "IMPORT_TRUSTED_HOSTS": ["127.0.0.1"],
    "LEASE": timedelta(seconds=20),
    "SCRATCH_DIR": DIRECTORY / "scratch",
}
MEDIA_ROOT = DIRECTORY / "media"
MIDDLEWARE = ["tests.browser.csp.strict", *MIDDLEWARE]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
}
