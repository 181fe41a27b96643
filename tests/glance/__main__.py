"""The tasks of a real Glance, copied out of its database, and compared field by field.

    python -m tests.glance PROGRAMS

PROGRAMS is the directory of the programs of an environment that has ``glance``, ``psycopg2-binary``
and ``pymysql``; PostgreSQL and MariaDB are on their usual ports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

NAME = "image_tasks_glance"
PSQL = ["psql", "-q", "-h", "127.0.0.1", "-U", "postgres", "-c"]
MARIADB = ["mariadb", "-h", "127.0.0.1", "-u", "root", "-e"]
SAME = ("type", "status", "owner", "input", "result")
SAME_OR_EMPTY = ("user_id", "request_id", "image_id", "message")
TIMES = ("created_at", "updated_at", "expires_at")


def main(programs: Path) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
        os.environ["DATABASE_URL"] = f"sqlite:///{directory / 'ours.sqlite3'}"
        django.setup()
        for dsn, client in (
            (f"sqlite:///{directory / 'glance.sqlite3'}", []),
            (f"postgresql+psycopg2://postgres@127.0.0.1/{NAME}", PSQL),
            (f"mysql+pymysql://root@127.0.0.1/{NAME}", MARIADB),
        ):
            for sql in (f"DROP DATABASE IF EXISTS {NAME}", f"CREATE DATABASE {NAME}"):
                if client:
                    subprocess.run([*client, sql], check=True, stderr=subprocess.DEVNULL)
            theirs = tasks_of_glance(programs, directory, dsn)
            print(f"{dsn.partition(':')[0]}: {compared(dsn, theirs)} tasks are as Glance had them")


def tasks_of_glance(programs: Path, directory: Path, dsn: str) -> list[dict[str, Any]]:
    """Make the tables and some tasks, and return those that Glance shows."""
    conf = directory / "glance-api.conf"
    conf.write_text(f"[database]\nconnection = {dsn}\n")
    sync = [programs / "glance-manage", "--config-file", conf, "db_sync"]
    subprocess.run(sync, check=True, capture_output=True)
    made = [programs / "python", Path(__file__).with_name("of_glance.py"), conf]
    done = subprocess.run(made, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    tasks: list[dict[str, Any]] = json.loads(done.stdout)
    return tasks


def compared(dsn: str, theirs: list[dict[str, Any]]) -> int:
    from django.core.management import call_command

    from django_image_tasks.management.terminal import glance
    from django_image_tasks.models import Task

    call_command("migrate", verbosity=0)
    Task.objects.all().delete()
    finished = {task["id"]: task for task in theirs if task["status"] in ("success", "failure")}
    copied = glance.copy(dsn)
    assert copied.refused.keys() == {task["id"] for task in theirs} - finished.keys()
    assert (copied.copied, glance.copy(dsn).already_here) == (len(finished), len(finished))
    for ours in Task.objects.all():
        task = finished.pop(str(ours.pk))
        assert all(getattr(ours, name) == task[name] for name in SAME), task
        assert all(getattr(ours, name) == (task[name] or "") for name in SAME_OR_EMPTY), task
        for name in TIMES:
            assert getattr(ours, name) == datetime.fromisoformat(task[name]).replace(tzinfo=UTC)
    assert not finished
    return copied.copied


main(Path(sys.argv[1]).resolve())
