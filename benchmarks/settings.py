"""The example project's settings, for the database in the environment, and with the peers."""

import os
from typing import Any

from benchmarks.place import directory, home
from benchmarks.sizes import SCRATCH, alias_of
from example_project.settings import *  # noqa: F403
from example_project.settings import INSTALLED_APPS

VENDOR = os.environ.get("BENCHMARK_DATABASE", "sqlite")
ROWS = [int(rows) for rows in os.environ.get("BENCHMARK_ROWS", "1000").split(",")]
DIRECTORY = directory(VENDOR)

ENGINES: dict[str, dict[str, Any]] = {
    "sqlite": {
        "ENGINE": "django.db.backends.sqlite3",
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    },
    "postgresql": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(DIRECTORY),
        "USER": "postgres",
    },
    "mariadb": {
        "ENGINE": "django.db.backends.mysql",
        "HOST": str(DIRECTORY / "socket"),
        "USER": "root",
        "OPTIONS": {"charset": "utf8mb4"},
    },
}


def _database(alias: str) -> dict[str, Any]:
    name = DIRECTORY / f"{alias}.sqlite3" if VENDOR == "sqlite" else f"benchmark_{alias}"
    return ENGINES[VENDOR] | {"NAME": name, "CONN_MAX_AGE": None}


DATABASES = {alias: _database(alias) for alias in [SCRATCH, *map(alias_of, ROWS)]}
DATABASE_ROUTERS = ["benchmarks.sizes.SizeRouter"]

if THREADS := int(os.environ.get("BENCHMARK_POOL", "0")):
    for database in DATABASES.values():
        pool = {"min_size": 1, "max_size": THREADS}
        database |= {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": pool}}

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [*INSTALLED_APPS, "ninja"]
ROOT_URLCONF = "benchmarks.urls"
WSGI_APPLICATION = "benchmarks.wsgi.application"
MEDIA_ROOT = home() / "media"

IMAGE_TASKS: dict[str, Any] = {
    "ANONYMOUS_OWNER": "7",
    "MAX_WAIT": 600,
    "HANDLERS": {
        "import": "django_image_tasks.handlers.image_import.ImageImport",
        "noop": "benchmarks.noop.NoOp",
    },
    "IMPORT_TRUSTED_HOSTS": ["127.0.0.1"],
    "SCRATCH_DIR": home() / "scratch",
}
NINJA_PAGINATION_PER_PAGE = 25
