"""The settings, and what they may be (docs/reference/settings.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from getpass import getuser
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

T = TypeVar("T")

CENTURY = timedelta(days=36_500)

_imported = cache(import_string)  # a request reads a dozen paths


class Settings:
    """The dictionary ``IMAGE_TASKS`` of the project's settings, read anew at each access.

    Each property is a setting, and its docstring speaks of the value as "this". Classes, functions
    and modules are named by dotted paths. A time is a timedelta or a number of seconds.

    Reading a property raises ValueError for a value of another type or out of range, with words for
    what it must be, and ImportError for a path that leads nowhere. The system checks read them all.
    """

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, "IMAGE_TASKS", {}).get(name, default)

    def _or_none(self, read: Callable[[str], T], name: str) -> T | None:
        return None if self._get(name, None) is None else read(name)

    def _import(self, name: str, default: str = "") -> Any:
        return _imported(self._string(name, default))

    def _import_all(self, name: str, default: Sequence[str] = ()) -> list[type]:
        return [_imported(path) for path in self._strings(name, default)]

    def _string(self, name: str, default: str = "") -> str:
        value = self._get(name, default)
        if not isinstance(value, str) or not value:
            raise ValueError(f"it must be a string, and not {value!r}")
        return value

    def _strings(self, name: str, default: Sequence[str]) -> Sequence[str]:
        values = self._get(name, default)
        if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
            raise ValueError(f"it must be a list of strings, and not {values!r}")
        return values

    def _boolean(self, name: str, default: bool) -> bool:
        value = self._get(name, default)
        if type(value) is not bool:
            raise ValueError(f"it must be True or False, and not {value!r}")
        return value

    def _integer(self, name: str, default: int, *, least: int = 1, most: int = 2**63 - 1) -> int:
        value = self._get(name, default)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"it must be a whole number from {least} to {most}, and not {value!r}")
        return value

    def _count(self, name: str) -> int:
        return self._integer(name, 1)

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

    def _seconds(self, name: str, default: float, *, least: float = 0.001) -> float:
        return self._duration(name, timedelta(seconds=default), least=least).total_seconds()

    # The wire

    @property
    def LIMIT_PARAM_DEFAULT(self) -> int:
        """A page has at most this many tasks if the client names no ``limit``."""
        return self._integer("LIMIT_PARAM_DEFAULT", 25)

    @property
    def API_LIMIT_MAX(self) -> int:
        """A page never has more tasks than this, whatever ``limit`` says."""
        return self._integer("API_LIMIT_MAX", 1000)

    @property
    def LIST_TIMEOUT(self) -> float:
        """A list that no index serves may take this many seconds; ``0`` means any time."""
        return self._seconds("LIST_TIMEOUT", 10, least=0)

    @property
    def MAX_WAIT(self) -> float:
        """A client that asks for it, with ``Prefer: wait``, may wait for the end of a task for this
        many seconds; ``0`` answers everybody at once."""
        return self._seconds("MAX_WAIT", 0, least=0)

    @property
    def MAX_INPUT_SIZE(self) -> int:
        """The ``input`` of a new task may take at most this many bytes as JSON."""
        return self._integer("MAX_INPUT_SIZE", 256 * 2**10)

    @property
    def AUTHENTICATION_CLASSES(self) -> list[type] | None:
        """These DRF classes say who asks; ``None`` means this package's, then the project's."""
        return self._or_none(self._import_all, "AUTHENTICATION_CLASSES")

    @property
    def PERMISSION_CLASSES(self) -> list[type]:
        """These DRF classes decide who may use the API."""
        return self._import_all(
            "PERMISSION_CLASSES", ["django_image_tasks.permissions.IsAuthenticatedOrNamed"]
        )

    @property
    def THROTTLE_CLASSES(self) -> list[type] | None:
        """These DRF classes limit how often one may ask; ``None`` means the project's."""
        return self._or_none(self._import_all, "THROTTLE_CLASSES")

    @property
    def RENDERER_CLASSES(self) -> list[type]:
        """These DRF classes write the answers; the first is used where the client does not care."""
        return self._import_all(
            "RENDERER_CLASSES",
            [
                "django_image_tasks.renderers.JSONRenderer",
                "django_image_tasks.renderers.BrowsableAPIRenderer",
            ],
        )

    @property
    def FILTERSET_CLASS(self) -> type:
        """This class reads the list's parameters: ``TaskFilterSet``, or one derived from it."""
        return self._import("FILTERSET_CLASS", "django_image_tasks.filters.TaskFilterSet")

    @property
    def SERIALIZER_CLASS(self) -> Any:
        """This class writes a whole task: ``TaskSerializer``, or one derived from it."""
        return self._import("SERIALIZER_CLASS", "django_image_tasks.serializers.TaskSerializer")

    @property
    def LIST_SERIALIZER_CLASS(self) -> Any:
        """This class writes a task in a list: ``TaskSummarySerializer``, or one derived from it."""
        return self._import(
            "LIST_SERIALIZER_CLASS", "django_image_tasks.serializers.TaskSummarySerializer"
        )

    @property
    def KEEP_SQL(self) -> bool:
        """The SQL of a query is kept and run again with other values; ``False`` writes it anew."""
        return self._boolean("KEEP_SQL", True)

    # Who sees what

    @property
    def OWNER(self) -> Callable[[Any], str | int | UUID | None]:
        """This function returns a request's owner: a string, a whole number, a UUID or ``None``."""
        return self._import("OWNER", "django_image_tasks.tenancy.owner_of_user")

    @property
    def ANONYMOUS_OWNER(self) -> str | None:
        """Whatever anonymous clients create is this owner's; ``None`` means they are refused."""
        return self._or_none(self._string, "ANONYMOUS_OWNER")

    @property
    def KEYSTONE_ADMIN_ROLES(self) -> Sequence[str]:
        """Users with one of these Keystone roles see, and may change, every owner's tasks."""
        return self._strings("KEYSTONE_ADMIN_ROLES", ["admin"])

    # Tasks and how they run

    @property
    def HANDLERS(self) -> Mapping[str, str | None]:
        """Each task type has the dotted path of its handler, or ``None`` if it is no longer run."""
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
        """This function gets each new task before it is saved, and refuses it by raising
        ``InvalidInput``. ``None`` means that only the handlers have rules."""
        return self._or_none(self._import, "TASK_VALIDATOR")

    @property
    def TASK_TIME_TO_LIVE(self) -> timedelta:
        """A task is kept for this long after it has finished."""
        return self._duration("TASK_TIME_TO_LIVE", timedelta(hours=48), least=0)

    @property
    def ENGINE(self) -> str:
        """The module with this dotted path hands tasks to a queue."""
        return self._string("ENGINE", "django_image_tasks.engines.django_tasks")

    @property
    def QUEUE(self) -> str | None:
        """Tasks are put on the engine's queue of this name; ``None`` means its default queue."""
        return self._or_none(self._string, "QUEUE")

    @property
    def LEASE(self) -> timedelta:
        """A worker whose heartbeat is silent for this long loses its task to another one."""
        return self._duration("LEASE", timedelta(seconds=30), least=3)

    @property
    def STOP_GRACE_TIME(self) -> timedelta:
        """A worker that is told to stop waits this long for its task before it hands it over."""
        return self._duration("STOP_GRACE_TIME", timedelta(seconds=5), least=0)

    @property
    def MAX_RUNNING_PER_OWNER(self) -> int | None:
        """At most this many tasks of one owner run at a time; ``None`` means any number."""
        return self._or_none(self._count, "MAX_RUNNING_PER_OWNER")

    @property
    def MAX_WAITING_PER_OWNER(self) -> int | None:
        """An owner with this many pending tasks gets no further one; ``None`` means any number."""
        return self._or_none(self._count, "MAX_WAITING_PER_OWNER")

    @property
    def OWNER_LIMITS(self) -> Callable[[str], Any]:
        """This function returns the ``OwnerLimits`` of an owner, by a plan of the project's own."""
        return self._import("OWNER_LIMITS", "django_image_tasks.limits.of_settings")

    @property
    def MAX_ATTEMPTS(self) -> int:
        """A task fails for good when this many of its attempts were lost or asked for another."""
        return self._integer("MAX_ATTEMPTS", 3, most=16)

    @property
    def NEXT_ATTEMPT_DELAY(self) -> timedelta:
        """The second attempt comes this long after the first; each further wait is doubled."""
        return self._duration(
            "NEXT_ATTEMPT_DELAY", timedelta(seconds=10), least=0, most=timedelta(days=1)
        )

    @property
    def TASK_TIMEOUT(self) -> timedelta:
        """One attempt may take at most this long."""
        return self._duration("TASK_TIMEOUT", timedelta(hours=6))

    @property
    def TRACING(self) -> bool:
        """Tasks and attempts are spans of OpenTelemetry, in the trace of the request that made the
        task."""
        return self._boolean("TRACING", False)

    @property
    def SCRATCH_DIR(self) -> Path:
        """Attempts keep their files in this directory while they run, and an import from one
        attempt to the next. It is on the worker's own disk, belongs to its user, and is private
        (mode 700)."""
        default = Path(gettempdir()) / f"image-tasks-{_user()}"
        value = self._get("SCRATCH_DIR", default)
        if not isinstance(value, str | Path) or not Path(value).is_absolute():
            raise ValueError(f"it must be an absolute path, and not {value!r}")
        return Path(value)

    # The import

    @property
    def IMPORT_ALLOWED_SCHEMES(self) -> Sequence[str]:
        """The URL of an image must have one of these schemes."""
        return self._strings("IMPORT_ALLOWED_SCHEMES", ["http", "https"])

    @property
    def IMPORT_ALLOWED_PORTS(self) -> Sequence[int]:
        """The URL of an image must lead to one of these TCP ports."""
        ports = self._get("IMPORT_ALLOWED_PORTS", [80, 443])
        if not isinstance(ports, list | tuple) or not all(
            type(port) is int and 0 < port < 2**16 for port in ports
        ):
            raise ValueError(f"it must be a list of numbers from 1 to 65535, and not {ports!r}")
        return ports

    @property
    def IMPORT_TRUSTED_HOSTS(self) -> Sequence[str]:
        """Images may be fetched from these hosts (``host`` or ``host:port``) whatever their address
        and port."""
        return self._strings("IMPORT_TRUSTED_HOSTS", [])

    @property
    def IMPORT_MAX_SIZE(self) -> int:
        """An image may have at most this many bytes."""
        return self._integer("IMPORT_MAX_SIZE", 10 * 2**30)

    @property
    def IMPORT_MAX_VIRTUAL_SIZE(self) -> int:
        """The disk that an image describes may have at most this many bytes."""
        return self._integer("IMPORT_MAX_VIRTUAL_SIZE", 2**40)

    @property
    def IMPORT_CONNECT_TIMEOUT(self) -> float:
        """A source must accept the connection within this many seconds."""
        return self._seconds("IMPORT_CONNECT_TIMEOUT", 10)

    @property
    def IMPORT_READ_TIMEOUT(self) -> float:
        """A source may be silent for at most this many seconds."""
        return self._seconds("IMPORT_READ_TIMEOUT", 30)

    @property
    def IMPORT_MIN_RATE(self) -> int:
        """A source that sends fewer bytes a second than this is given up; ``0`` means any rate."""
        return self._integer("IMPORT_MIN_RATE", 1024, least=0)

    @property
    def IMPORT_TIMEOUT(self) -> float:
        """A whole download may take at most this many seconds."""
        return self._seconds("IMPORT_TIMEOUT", 3600)

    @property
    def IMPORT_MAX_REDIRECTS(self) -> int:
        """At most this many redirects of one source are followed."""
        return self._integer("IMPORT_MAX_REDIRECTS", 5, least=0, most=100)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return str(os.getuid())


conf = Settings()
