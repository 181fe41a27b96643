from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from getpass import getuser
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


class Settings:
    """The ``IMAGE_TASKS`` dictionary of the host's settings, read anew at each access."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, "IMAGE_TASKS", {}).get(name, default)

    def _import(self, name: str, default: str) -> Any:
        return import_string(self._get(name, default))

    def _import_all(self, name: str, default: Sequence[str]) -> list[type]:
        return [import_string(path) for path in self._get(name, default)]

    # The wire

    @property
    def LIMIT_PARAM_DEFAULT(self) -> int:
        """Tasks on a page when the client names no ``limit``."""
        return int(self._get("LIMIT_PARAM_DEFAULT", 25))

    @property
    def API_LIMIT_MAX(self) -> int:
        """Most tasks on a page, whatever ``limit`` says."""
        return int(self._get("API_LIMIT_MAX", 1000))

    @property
    def AUTHENTICATION_CLASSES(self) -> list[type] | None:
        """DRF authentication classes of our views; ``None``: ours, then the host's own defaults."""
        paths = self._get("AUTHENTICATION_CLASSES", None)
        return None if paths is None else [import_string(path) for path in paths]

    @property
    def PERMISSION_CLASSES(self) -> list[type]:
        """DRF permission classes of our views."""
        return self._import_all(
            "PERMISSION_CLASSES", ["django_image_tasks.permissions.IsAuthenticatedOrNamed"]
        )

    @property
    def THROTTLE_CLASSES(self) -> list[type] | None:
        """DRF throttle classes of our views; ``None``: the host's own defaults."""
        paths = self._get("THROTTLE_CLASSES", None)
        return None if paths is None else [import_string(path) for path in paths]

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
        """The django-filter ``FilterSet`` behind the list."""
        return self._import("FILTERSET_CLASS", "django_image_tasks.filters.TaskFilterSet")

    @property
    def PAGINATION_CLASS(self) -> type:
        """The DRF pagination class of the list."""
        return self._import("PAGINATION_CLASS", "django_image_tasks.pagination.MarkerPagination")

    @property
    def SERIALIZER_CLASS(self) -> type:
        """The DRF serializer of a whole task."""
        return self._import("SERIALIZER_CLASS", "django_image_tasks.serializers.TaskSerializer")

    @property
    def LIST_SERIALIZER_CLASS(self) -> type:
        """The DRF serializer of a task in a list."""
        return self._import(
            "LIST_SERIALIZER_CLASS", "django_image_tasks.serializers.TaskSummarySerializer"
        )

    @property
    def EXCEPTION_HANDLER(self) -> Callable[..., Any]:
        """The DRF exception handler of our views."""
        return self._import(
            "EXCEPTION_HANDLER", "django_image_tasks.exception_handler.exception_handler"
        )

    # Who sees what

    @property
    def OWNER(self) -> Callable[[Any], str | None]:
        """Dotted path of a function from a request to its owner: a string, or ``None``."""
        return self._import("OWNER", "django_image_tasks.tenancy.owner_of_user")

    @property
    def ANONYMOUS_OWNER(self) -> str | None:
        """The owner of what anonymous clients create; ``None``: they are refused."""
        return self._get("ANONYMOUS_OWNER", None)

    @property
    def KEYSTONE_ADMIN_ROLES(self) -> Sequence[str]:
        """Keystone roles whose holders see every owner's tasks, and may touch them."""
        return self._get("KEYSTONE_ADMIN_ROLES", ["admin"])

    # Tasks and how they run

    @property
    def HANDLERS(self) -> Mapping[str, str | None]:
        """Task type → dotted path of its handler, or ``None`` for a type that is only kept."""
        return self._get(
            "HANDLERS", {"import": "django_image_tasks.handlers.image_import.ImageImport"}
        )

    @property
    def TASK_VALIDATOR(self) -> Callable[[Any], None] | None:
        """Dotted path of a function that gets each new task before it is saved, and may refuse it
        by raising ``InvalidInput``; ``None``: there are no rules but the handlers' own."""
        path = self._get("TASK_VALIDATOR", None)
        return None if path is None else import_string(path)

    @property
    def TASK_TIME_TO_LIVE(self) -> timedelta:
        """How long a finished task stays."""
        return self._get("TASK_TIME_TO_LIVE", timedelta(hours=48))

    @property
    def ENGINE(self) -> str:
        """Dotted path of the module that hands tasks to a queue."""
        return str(self._get("ENGINE", "django_image_tasks.engines.django_tasks"))

    @property
    def QUEUE(self) -> str | None:
        """Name of the engine's queue that tasks are put on; ``None``: the engine's own default."""
        return self._get("QUEUE", None)

    @property
    def LEASE(self) -> timedelta:
        """How long a worker may be silent before its task is taken from it."""
        return self._get("LEASE", timedelta(seconds=60))

    @property
    def REQUEUE_AFTER(self) -> timedelta:
        """How long a queue may keep a task before it is put on the queue again."""
        return self._get("REQUEUE_AFTER", timedelta(hours=1))

    @property
    def MAX_ATTEMPTS(self) -> int:
        """How often a task is started before it fails for good."""
        return int(self._get("MAX_ATTEMPTS", 3))

    @property
    def RETRY_DELAY(self) -> timedelta:
        """The wait before the second attempt; it doubles with each one that follows."""
        return self._get("RETRY_DELAY", timedelta(seconds=10))

    @property
    def TASK_TIMEOUT(self) -> timedelta:
        """How long one attempt may take."""
        return self._get("TASK_TIMEOUT", timedelta(hours=6))

    @property
    def SCRATCH_DIR(self) -> Path:
        """Where attempts keep their files while they run, on the worker's own disk."""
        default = Path(gettempdir()) / f"image-tasks-{getuser()}"
        return Path(self._get("SCRATCH_DIR", default))

    # The import

    @property
    def IMPORT_ALLOWED_SCHEMES(self) -> Sequence[str]:
        """URL schemes an image may be fetched over."""
        return self._get("IMPORT_ALLOWED_SCHEMES", ["http", "https"])

    @property
    def IMPORT_ALLOWED_PORTS(self) -> Sequence[int]:
        """TCP ports an image may be fetched from."""
        return self._get("IMPORT_ALLOWED_PORTS", [80, 443])

    @property
    def IMPORT_TRUSTED_HOSTS(self) -> Sequence[str]:
        """``host`` or ``host:port``: fetched from whatever their address and port."""
        return self._get("IMPORT_TRUSTED_HOSTS", [])

    @property
    def IMPORT_MAX_SIZE(self) -> int:
        """Largest image, in bytes."""
        return int(self._get("IMPORT_MAX_SIZE", 10 * 2**30))

    @property
    def IMPORT_MAX_VIRTUAL_SIZE(self) -> int:
        """Largest disk an image may describe, in bytes."""
        return int(self._get("IMPORT_MAX_VIRTUAL_SIZE", 2**40))

    @property
    def IMPORT_CONNECT_TIMEOUT(self) -> float:
        """Seconds a source has to accept a connection."""
        return float(self._get("IMPORT_CONNECT_TIMEOUT", 10))

    @property
    def IMPORT_READ_TIMEOUT(self) -> float:
        """Seconds a source may be silent."""
        return float(self._get("IMPORT_READ_TIMEOUT", 30))

    @property
    def IMPORT_TIMEOUT(self) -> float:
        """Seconds a whole download may take."""
        return float(self._get("IMPORT_TIMEOUT", 3600))

    @property
    def IMPORT_MAX_REDIRECTS(self) -> int:
        """Redirects followed from one source."""
        return int(self._get("IMPORT_MAX_REDIRECTS", 5))


conf = Settings()
