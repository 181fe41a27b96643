"""System checks of the host's settings; the ids are stable."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from django_image_tasks import engine_checks
from django_image_tasks.conf import Settings, conf
from django_image_tasks.handlers.base import Handler

NAMES = [name for name in vars(Settings) if name.isupper()]

IMAGE_IMPORT = "django_image_tasks.handlers.image_import.ImageImport"


def register() -> None:
    checks.register(check_settings, "image_tasks")
    engine_checks.register()


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:
    return [
        *_unknown_settings(),
        *_unreadable_settings(),
        *_handlers(),
        *_time_zone(),
        *_rest_framework(),
        *_extra(),
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
        except (ImportError, TypeError, ValueError) as error:
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
            hint="pip install 'django-image-tasks[import]'",
            id="image_tasks.W001",
        )
