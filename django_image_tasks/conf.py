from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from getpass import getuser
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

CENTURY = timedelta(days=36_500)


class Settings:
    """The ``IMAGE_TASKS`` dictionary of the host's settings, read anew at each access.

    Every property raises ValueError, with words for what it must be, for a value of another type or
    out of range, and ImportError for a path that leads nowhere. The system checks read them all.
    """

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, "IMAGE_TASKS", {}).get(name, default)

    def _import(self, name: str, default: str) -> Any:
        return import_string(self._string(name, default))

    def _import_or_none(self, name: str) -> Any:
        return None if self._get(name, None) is None else self._import(name, "")

    def _import_all(self, name: str, default: Sequence[str]) -> list[type]:
        return [import_string(path) for path in self._strings(name, default)]

    def _import_all_or_none(self, name: str) -> list[type] | None:
        return None if self._get(name, None) is None else self._import_all(name, [])

    def _string(self, name: str, default: str) -> str:
        value = self._get(name, default)
        if not isinstance(value, str) or not value:
            raise ValueError(f"it must be a string, and not {value!r}")
        return value

    def _string_or_none(self, name: str) -> str | None:
        return None if self._get(name, None) is None else self._string(name, "")

    def _strings(self, name: str, default: Sequence[str]) -> Sequence[str]:
        values = self._get(name, default)
        if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
            raise ValueError(f"it must be a list of strings, and not {values!r}")
        return values

    def _integer(self, name: str, default: int, *, least: int = 1, most: int = 2**63 - 1) -> int:
        value = self._get(name, default)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"it must be a whole number from {least} to {most}, and not {value!r}")
        return value

    def _duration(
        self, name: str, default: timedelta, *, least: float = 0.001, most: timedelta = CENTURY
    ) -> timedelta:
        value = duration = self._get(name, default)
        if type(value) in (int, float) and abs(value) < 1e10:
            duration = timedelta(seconds=value)
        if not isinstance(duration, timedelta) or not timedelta(seconds=least) <= duration <= most:
            raise ValueError(
                "it must be a timedelta or a number of seconds, "
                f"from {least:g} seconds to {most.days} days, and not {value!r}"
            )
        return duration

    def _seconds(self, name: str, default: float) -> float:
        return self._duration(name, timedelta(seconds=default)).total_seconds()

    # The wire

    @property
    def LIMIT_PARAM_DEFAULT(self) -> int:
        """Tasks on a page when the client names no ``limit``."""
        return self._integer("LIMIT_PARAM_DEFAULT", 25)

    @property
    def API_LIMIT_MAX(self) -> int:
        """Most tasks on a page, whatever ``limit`` says."""
        return self._integer("API_LIMIT_MAX", 1000)

    @property
    def LIST_TIMEOUT(self) -> float:
        """Seconds the database may take for a list that no index serves; ``0``: any time."""
        return float(self._get("LIST_TIMEOUT", 10))

    @property
    def MAX_INPUT_SIZE(self) -> int:
        """Largest ``input`` of a new task, in bytes of JSON."""
        return int(self._get("MAX_INPUT_SIZE", 256 * 2**10))

    @property
    def AUTHENTICATION_CLASSES(self) -> list[type] | None:
        """DRF authentication classes of our views; ``None``: ours, then the host's own defaults."""
        return self._import_all_or_none("AUTHENTICATION_CLASSES")

    @property
    def PERMISSION_CLASSES(self) -> list[type]:
        """DRF permission classes of our views."""
        return self._import_all(
            "PERMISSION_CLASSES", ["django_image_tasks.permissions.IsAuthenticatedOrNamed"]
        )

    @property
    def THROTTLE_CLASSES(self) -> list[type] | None:
        """DRF throttle classes of our views; ``None``: the host's own defaults."""
        return self._import_all_or_none("THROTTLE_CLASSES")

    @property
    def RENDERER_CLASSES(self) -> list[type]:
        """DRF renderers of our views, preferred first."""
        return self._import_all(
            "RENDERER_CLASSES",
            [
                "django_image_tasks.renderers.JSONRenderer",
                "django_image_tasks.renderers.BrowsableAPIRenderer",
            ],
        )

    @property
    def FILTERSET_CLASS(self) -> type:
        """The ``TaskFilterSet`` behind the list, or a subclass of it that has more parameters."""
        return self._import("FILTERSET_CLASS", "django_image_tasks.filters.TaskFilterSet")

    @property
    def SERIALIZER_CLASS(self) -> Any:
        """The ``TaskSerializer`` of a whole task, or a subclass of it that sends more fields."""
        return self._import("SERIALIZER_CLASS", "django_image_tasks.serializers.TaskSerializer")

    @property
    def LIST_SERIALIZER_CLASS(self) -> Any:
        """The ``TaskSummarySerializer`` of a task in a list, or a subclass that sends more."""
        return self._import(
            "LIST_SERIALIZER_CLASS", "django_image_tasks.serializers.TaskSummarySerializer"
        )

    # Who sees what

    @property
    def OWNER(self) -> Callable[[Any], str | int | UUID | None]:
        """Dotted path of a function from a request to its owner: text, number, UUID or ``None``."""
        return self._import("OWNER", "django_image_tasks.tenancy.owner_of_user")

    @property
    def ANONYMOUS_OWNER(self) -> str | None:
        """The owner of what anonymous clients create; ``None``: they are refused."""
        return self._string_or_none("ANONYMOUS_OWNER")

    @property
    def KEYSTONE_ADMIN_ROLES(self) -> Sequence[str]:
        """Keystone roles whose holders see every owner's tasks, and may touch them."""
        return self._strings("KEYSTONE_ADMIN_ROLES", ["admin"])

    # Tasks and how they run

    @property
    def HANDLERS(self) -> Mapping[str, str | None]:
        """Task type → dotted path of its handler, or ``None`` for a type that is only kept."""
        handlers = self._get(
            "HANDLERS", {"import": "django_image_tasks.handlers.image_import.ImageImport"}
        )
        if not isinstance(handlers, Mapping) or not all(
            isinstance(type_, str) and 0 < len(type_) <= 64 for type_ in handlers
        ):
            raise ValueError("it must be a dictionary from task types of 1 to 64 characters")
        return handlers

    @property
    def TASK_VALIDATOR(self) -> Callable[[Any], None] | None:
        """Dotted path of a function that gets each new task before it is saved, and may refuse it
        by raising ``InvalidInput``; ``None``: there are no rules but the handlers' own."""
        return self._import_or_none("TASK_VALIDATOR")

    @property
    def TASK_TIME_TO_LIVE(self) -> timedelta:
        """How long a finished task stays."""
        return self._duration("TASK_TIME_TO_LIVE", timedelta(hours=48), least=0)

    @property
    def ENGINE(self) -> str:
        """Dotted path of the module that hands tasks to a queue."""
        return self._string("ENGINE", "django_image_tasks.engines.django_tasks")

    @property
    def QUEUE(self) -> str | None:
        """Name of the engine's queue that tasks are put on; ``None``: the engine's own default."""
        return self._string_or_none("QUEUE")

    @property
    def LEASE(self) -> timedelta:
        """How long a worker may be silent before its task is taken from it."""
        return self._duration("LEASE", timedelta(seconds=60))

    @property
    def REQUEUE_AFTER(self) -> timedelta:
        """How long a queue may keep a task before it is put on the queue again."""
        return self._duration("REQUEUE_AFTER", timedelta(hours=1))

    @property
    def MAX_ATTEMPTS(self) -> int:
        """How often a task is started before it fails for good."""
        return self._integer("MAX_ATTEMPTS", 3, most=16)

    @property
    def RETRY_DELAY(self) -> timedelta:
        """The wait before the second attempt; it doubles with each one that follows."""
        return self._duration("RETRY_DELAY", timedelta(seconds=10), least=0, most=timedelta(days=1))

    @property
    def TASK_TIMEOUT(self) -> timedelta:
        """How long one attempt may take."""
        return self._duration("TASK_TIMEOUT", timedelta(hours=6))

    @property
    def SCRATCH_DIR(self) -> Path:
        """Where attempts keep their files while they run: on the worker's own disk, in a directory
        that belongs to its user and is private (mode 700)."""
        default = Path(gettempdir()) / f"image-tasks-{_user()}"
        value = self._get("SCRATCH_DIR", default)
        if not isinstance(value, str | Path) or not Path(value).is_absolute():
            raise ValueError(f"it must be an absolute path, and not {value!r}")
        return Path(value)

    # The import

    @property
    def IMPORT_ALLOWED_SCHEMES(self) -> Sequence[str]:
        """URL schemes an image may be fetched over."""
        return self._strings("IMPORT_ALLOWED_SCHEMES", ["http", "https"])

    @property
    def IMPORT_ALLOWED_PORTS(self) -> Sequence[int]:
        """TCP ports an image may be fetched from."""
        ports = self._get("IMPORT_ALLOWED_PORTS", [80, 443])
        if not isinstance(ports, list | tuple) or not all(
            type(port) is int and 0 < port < 2**16 for port in ports
        ):
            raise ValueError(f"it must be a list of numbers from 1 to 65535, and not {ports!r}")
        return ports

    @property
    def IMPORT_TRUSTED_HOSTS(self) -> Sequence[str]:
        """``host`` or ``host:port``, in any spelling: fetched from whatever their address and
        port."""
        return self._strings("IMPORT_TRUSTED_HOSTS", [])

    @property
    def IMPORT_MAX_SIZE(self) -> int:
        """Largest image, in bytes."""
        return self._integer("IMPORT_MAX_SIZE", 10 * 2**30)

    @property
    def IMPORT_MAX_VIRTUAL_SIZE(self) -> int:
        """Largest disk an image may describe, in bytes."""
        return self._integer("IMPORT_MAX_VIRTUAL_SIZE", 2**40)

    @property
    def IMPORT_CONNECT_TIMEOUT(self) -> float:
        """Seconds a source has to accept a connection."""
        return self._seconds("IMPORT_CONNECT_TIMEOUT", 10)

    @property
    def IMPORT_READ_TIMEOUT(self) -> float:
        """Seconds a source may be silent."""
        return self._seconds("IMPORT_READ_TIMEOUT", 30)

    @property
    def IMPORT_TIMEOUT(self) -> float:
        """Seconds a whole download may take."""
        return self._seconds("IMPORT_TIMEOUT", 3600)

    @property
    def IMPORT_MAX_REDIRECTS(self) -> int:
        """Redirects followed from one source."""
        return self._integer("IMPORT_MAX_REDIRECTS", 5, least=0, most=100)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return str(os.getuid())


conf = Settings()
