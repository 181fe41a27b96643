"""The page that a run leaves behind: its tables, and the circumstances they were measured under."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

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


def page(title: str, tables: str) -> str:
    return f"""# {title} on {connection.display_name}

{tables}

## Circumstances

- Command: `{shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])}`
- Times: {"this process's CPU" if os.environ["BENCHMARK_CPU"] else "by the clock"}
- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC
- Machine: {_machine()}
- Versions: {_versions()}
"""


def _machine() -> str:
    memory = int(_first("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    model = _first("/proc/cpuinfo", "model name")
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def _versions() -> str:
    with connection.cursor() as cursor:
        cursor.execute(VERSION[connection.vendor])
        [number] = cursor.fetchone()
    database = f"{connection.display_name} {number.partition('-')[0].partition(' ')[0]}"
    packages = [f"{package} {version(package)}" for package in PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", database, *packages])


def _first(path: str, name: str) -> str:
    """Return the value of the first line ``name: value`` in a file below ``/proc``."""
    lines = Path(path).read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(name))
