"""The finished tasks of a Glance, copied out of its database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import DatabaseError, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.utils.translation import gettext as _

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.json_values import check_json, kept_message
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED, Status

ENGINES = {"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgresql", "sqlite": "sqlite3"}
COLUMNS = (
    "id, type, status, owner, user_id, request_id, image_id, created_at, updated_at, expires_at, "
    "input, result, message"
)
# Glance writes UTC, without saying so.
UNEXPIRED = f"""
    SELECT {COLUMNS} FROM tasks LEFT JOIN task_info ON task_info.task_id = tasks.id
    WHERE deleted = false AND (expires_at IS NULL OR expires_at > %s)
    ORDER BY created_at, id
"""  # noqa: S608 - the columns are ours


@dataclass
class Copied:
    """What became of the tasks that a Glance still shows."""

    copied: int = 0
    already_here: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    """The reason, by the id of the task."""


def copy(dsn: str, *, dry_run: bool = False) -> Copied:
    """Copy all finished and unexpired tasks that are not here yet, or none at all.

    Raises CommandError for a DSN that leads to no database of a Glance.
    """
    done, tasks = Copied(), []
    for row in _rows(dsn):
        try:
            tasks.append(_task(row))
        except InvalidInput as error:
            done.refused[row["id"]] = str(error)
    db = router.db_for_write(Task)
    with transaction.atomic(using=db):
        here = Task.objects.using(db).in_bulk([task.pk for task in tasks])
        missing = [task for task in tasks if task.pk not in here]
        if not dry_run:
            Task.objects.bulk_create(missing, batch_size=100)
    done.copied, done.already_here = len(missing), len(here)
    return done


def _task(row: Mapping[str, Any]) -> Task:
    """Our row for one of Glance's. Raises InvalidInput for what we cannot show as it was."""
    if row["status"] not in FINISHED:
        raise InvalidInput(_("it is %(status)s there") % row)
    pk = parse_uuid(row["id"])
    if pk is None:
        raise InvalidInput(_("its id is no UUID"))
    created, changed = _time(row["created_at"]), _time(row["updated_at"] or row["created_at"])
    return Task(
        pk=pk,
        **{name: row[name] for name in ("type", "status", "owner")},
        **{name: row[name] or "" for name in ("user_id", "request_id", "image_id")},
        input=_json(row["input"]) or {},
        result=_json(row["result"]),
        message=kept_message(row["message"] or ""),
        progress=100 if row["status"] == Status.SUCCESS else 0,
        created_at=created,
        updated_at=changed,
        finished_at=changed,
        expires_at=row["expires_at"] and _time(row["expires_at"]),
        lease_expires_at=None,
    )


def _json(text: str | None) -> Any:
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        raise InvalidInput(_("its input or its result is not JSON")) from None
    check_json(value)
    return value


def _time(value: datetime | None) -> datetime:
    if value is None:  # or, from SQLite, no time at all
        raise InvalidInput(_("it has no time that can be read"))
    return value.replace(tzinfo=UTC)


def _rows(dsn: str) -> Iterator[dict[str, Any]]:
    try:
        with closing(_connection(dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(UNEXPIRED, [datetime.now(UTC).replace(tzinfo=None).isoformat(" ")])
            rows = cursor.fetchall()
    except (DatabaseError, ImproperlyConfigured) as error:
        reason = str(error).partition("\n")[0]
        raise CommandError(_("Glance's tasks cannot be read: %s") % reason) from None
    for row in rows:
        yield dict(zip(COLUMNS.split(", "), row, strict=True))


def _connection(dsn: str) -> BaseDatabaseWrapper:
    """A connection of Django's to the database that Glance's ``connection`` option names."""
    try:
        parts = urlsplit(dsn.strip())
        engine = ENGINES[parts.scheme.partition("+")[0]]
        name = unquote(parts.path[1:])
        port = parts.port or ""
    except (KeyError, ValueError):
        raise CommandError(
            _("The DSN must be as in glance-api.conf: postgresql://user:password@host/glance")
        ) from None
    settings: dict[str, Any] = {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": port,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
    if engine == "sqlite3":  # or else SQLite would make an empty file of what it does not find
        settings |= {"NAME": f"file:{parts.path[1:]}?mode=ro", "OPTIONS": {"uri": True}}
    return ConnectionHandler({"default": settings})["default"]
