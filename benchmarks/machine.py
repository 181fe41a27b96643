"""What a run was measured on, and when."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connection

PACKAGES = [
    "Django",
    "djangorestframework",
    "django-filter",
    "django-ninja",
    "orjson",
    "gunicorn",
    "granian",
    "psycopg",
    "mysqlclient",
]
VERSION = {
    "sqlite": "SELECT sqlite_version()",
    "postgresql": "SHOW server_version",
    "mysql": "SELECT version()",
}


def describe(*, quick: bool) -> dict[str, Any]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        "quick": quick,
        "machine": f"{_first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, "
        f"{_memory():.0f} GiB, {platform.system()} {platform.release().partition('-')[0]}",
        "versions": _versions(),
    }


def _versions() -> str:
    with connection.cursor() as cursor:
        cursor.execute(VERSION[connection.vendor])
        [number] = cursor.fetchone()
    database = f"{connection.display_name} {number.partition('-')[0].partition(' ')[0]}"
    packages = [f"{package} {version(package)}" for package in PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", database, *packages])


def _memory() -> float:
    return int(_first("/proc/meminfo", "MemTotal").split()[0]) / 2**20


def _first(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(name))
