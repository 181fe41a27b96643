"""System checks of the host's settings; the ids are stable."""

from __future__ import annotations

from collections.abc import Iterator
from errno import EPERM
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.files.storage import FileSystemStorage
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from rest_framework.settings import api_settings

from django_image_tasks import database_checks, engine_checks, scratch
from django_image_tasks.conf import Settings, conf
from django_image_tasks.extras import install
from django_image_tasks.handlers.base import Handler
from django_image_tasks.handlers.image_import.source import NO_HOST, trusted_host
from django_image_tasks.handlers.image_import.storage import get_storage

NAMES = [name for name in vars(Settings) if name.isupper()]

IMAGE_IMPORT = "django_image_tasks.handlers.image_import.ImageImport"


def register() -> None:
    checks.register(check_settings, "image_tasks")
    engine_checks.register()
    database_checks.register()


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:
    if not isinstance(getattr(settings, "IMAGE_TASKS", {}), dict):
        return [checks.Error("IMAGE_TASKS must be a dictionary.", id="image_tasks.E001")]
    if unreadable := [*_unreadable_settings()]:
        return [*_unknown_settings(), *unreadable]  # the others need to read them
    return [
        *_unknown_settings(),
        *_handlers(),
        *_time_zone(),
        *_rest_framework(),
        *_extra(),
        *_seams(),
        *_urls(),
        *_tokens(),
        *_media_root(),
        *_trusted_hosts(),
        *_scratch_dir(),
    ]


def _unknown_settings() -> Iterator[checks.Error]:
    for name in getattr(settings, "IMAGE_TASKS", {}):
        if name not in NAMES:
            yield checks.Error(
                f"IMAGE_TASKS has no setting '{name}'.",
                hint=f"There are: {', '.join(NAMES)}.",
                id="image_tasks.E001",
            )


def _unreadable_settings() -> Iterator[checks.Error]:
    for name in NAMES:
        try:
            getattr(conf, name)
        except (ImportError, ValueError) as error:
            yield checks.Error(f"IMAGE_TASKS['{name}']: {error}", id="image_tasks.E002")


def _handlers() -> Iterator[checks.Error]:
    for type_, path in conf.HANDLERS.items():
        try:
            handler = import_string(path) if path else None
        except ImportError as error:
            yield checks.Error(f"The handler of '{type_}': {error}", id="image_tasks.E003")
            continue
        if handler and not (issubclass(handler, Handler) and handler.type == type_):
            yield checks.Error(
                f"{path} does not handle tasks of type '{type_}'.",
                hint=f"Derive it from Handler and give it type = '{type_}'.",
                id="image_tasks.E003",
            )


def _time_zone() -> Iterator[checks.Error]:
    if not settings.USE_TZ:
        yield checks.Error(
            "Tasks are ordered and expire by aware times.",
            hint="Set USE_TZ = True.",
            id="image_tasks.E004",
        )


def _rest_framework() -> Iterator[checks.Error]:
    if not apps.is_installed("rest_framework"):
        yield checks.Error(
            "The pages that browsers get need REST framework's templates.",
            hint="Add 'rest_framework' to INSTALLED_APPS.",
            id="image_tasks.E005",
        )


def _extra() -> Iterator[checks.Warning]:
    if IMAGE_IMPORT in conf.HANDLERS.values() and find_spec("requests_hardened") is None:
        yield checks.Warning(
            "A worker without the package 'requests-hardened' fails every import.",
            hint=install("import"),
            id="image_tasks.W001",
        )


BASES = {
    "AUTHENTICATION_CLASSES": "rest_framework.authentication.BaseAuthentication",
    "PERMISSION_CLASSES": "rest_framework.permissions.BasePermission",
    "THROTTLE_CLASSES": "rest_framework.throttling.BaseThrottle",
    "RENDERER_CLASSES": "rest_framework.renderers.BaseRenderer",
    "FILTERSET_CLASS": "django_image_tasks.filters.TaskFilterSet",
    "SERIALIZER_CLASS": "django_image_tasks.serializers.TaskSerializer",
    "LIST_SERIALIZER_CLASS": "django_image_tasks.serializers.TaskSummarySerializer",
}
"""What a class that a setting names has to be derived from."""


def _seams() -> Iterator[checks.Error]:
    for name, path in BASES.items():
        found = getattr(conf, name)
        for cls in found if isinstance(found, list) else [found]:
            if cls is not None and not _is_subclass(cls, import_string(path)):
                yield checks.Error(
                    f"IMAGE_TASKS['{name}']: {_name(cls)} is no {path.rpartition('.')[2]}.",
                    hint=f"Derive it from {path}.",
                    id="image_tasks.E016",
                )
    yield from _rules_of(conf.SERIALIZER_CLASS)


def _rules_of(serializer: Any) -> Iterator[checks.Error]:
    """The API alone would obey them; the admin, the terminal and create_task() would not."""
    ours = import_string(BASES["SERIALIZER_CLASS"])
    if not _is_subclass(serializer, ours):
        return
    hooks = ("to_internal_value", "run_validation", "create", "validate")
    rules = [name for name in hooks if getattr(serializer, name) is not getattr(ours, name)]
    rules += [name for name in {*dir(serializer)} - {*dir(ours)} if name.startswith("validate_")]
    if rules:
        yield checks.Error(
            f"IMAGE_TASKS['SERIALIZER_CLASS']: the rules of {_name(serializer)} for new tasks "
            f"({', '.join(sorted(rules))}) would hold in the API alone.",
            hint="Put them into a function, and name it in IMAGE_TASKS['TASK_VALIDATOR'].",
            id="image_tasks.E017",
        )


def _urls() -> Iterator[checks.Warning]:
    try:
        reverse("image_tasks:task-list")
    except NoReverseMatch:
        yield checks.Warning(
            "The API is not routed.",
            hint='Add path("", include("django_image_tasks.urls")) to the URLconf.',
            id="image_tasks.W007",
        )


def _tokens() -> Iterator[checks.Error]:
    """REST framework's own class fails at the first request, ours would ignore every token."""
    token = import_string("rest_framework.authentication.TokenAuthentication")
    classes: Any = conf.AUTHENTICATION_CLASSES or api_settings.DEFAULT_AUTHENTICATION_CLASSES
    if apps.is_installed("rest_framework.authtoken"):
        return
    for cls in classes:
        if _is_subclass(cls, token) and cls.model is None:
            yield checks.Error(
                f"{_name(cls)} has no tokens to look for.",
                hint="Add 'rest_framework.authtoken' to INSTALLED_APPS, and migrate.",
                id="image_tasks.E018",
            )


def _media_root() -> Iterator[checks.Warning]:
    """Without MEDIA_ROOT, Django's storage means the directory that the worker was started in."""
    if settings.MEDIA_ROOT or IMAGE_IMPORT not in conf.HANDLERS.values():
        return
    storage = get_storage()
    if isinstance(storage, FileSystemStorage) and storage.base_location == "":
        yield checks.Warning(
            "Imported images are stored in whatever directory a worker is started in.",
            hint="Set MEDIA_ROOT, or STORAGES['images'].",
            id="image_tasks.W008",
        )


def _is_subclass(cls: Any, base: type) -> bool:
    return isinstance(cls, type) and issubclass(cls, base)


def _name(cls: Any) -> str:
    return f"{getattr(cls, '__module__', '')}.{getattr(cls, '__qualname__', cls)}"


def _trusted_hosts() -> Iterator[checks.Warning]:
    for entry in conf.IMPORT_TRUSTED_HOSTS:
        if trusted_host(entry) == NO_HOST:
            yield checks.Warning(
                f"IMAGE_TASKS['IMPORT_TRUSTED_HOSTS'] has {entry!r}, which no URL can match.",
                hint=(
                    "An entry is one host, with or without a port: 'mirror.example.org', "
                    "'10.0.0.7:8080', '[fd00::7]:8080'; no URL, no network and no pattern."
                ),
                id="image_tasks.W005",
            )


def _scratch_dir() -> Iterator[checks.CheckMessage]:
    try:
        scratch.check_private(conf.SCRATCH_DIR.lstat())
    except FileNotFoundError:  # yet to be made
        return
    except OSError as error:
        message = f"IMAGE_TASKS['SCRATCH_DIR'] cannot hold workers' files: {error.strerror}."
        if error.errno == EPERM:
            hint = "Name a directory for workers alone, with mode 700; they make it if need be."
            yield checks.Error(message, hint=hint, id="image_tasks.E013")
        else:
            hint = "Run the workers as the user whose directory it is."
            yield checks.Warning(message, hint=hint, id="image_tasks.W006")
