"""The example project, made quick to test."""

import os
import tempfile

from example_project.settings import *  # noqa: F403
from example_project.settings import DATABASES

DEBUG = False
IMAGE_TASKS = {}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, for threads and other processes to share as they would in earnest.
    name = f"image-tasks-test-{os.getpid()}.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(tempfile.gettempdir(), name)}
