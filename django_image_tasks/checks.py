"""System checks of the host's settings; the ids are stable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.core.checks import register as register_check
from django.utils.module_loading import import_string

from django_image_tasks.conf import Settings, conf
from django_image_tasks.handlers.base import Handler

NAMES = [name for name in vars(Settings) if name.isupper()]


def register() -> None:
    register_check(check_settings, "image_tasks")


def check_settings(**kwargs: Any) -> list[Error]:
    return [*_unknown_settings(), *_unreadable_settings(), *_handlers(), *_time_zone()]


def _unknown_settings() -> Iterator[Error]:
    for name in getattr(settings, "IMAGE_TASKS", {}):
        if name not in NAMES:
            yield Error(
                f"IMAGE_TASKS has no setting '{name}'.",
                hint=f"There are: {', '.join(NAMES)}.",
                id="image_tasks.E001",
            )


def _unreadable_settings() -> Iterator[Error]:
    for name in NAMES:
        try:
            getattr(conf, name)
        except (ImportError, TypeError, ValueError) as error:
            yield Error(f"IMAGE_TASKS['{name}']: {error}", id="image_tasks.E002")


def _handlers() -> Iterator[Error]:
    for type_, path in conf.HANDLERS.items():
        try:
            handler = import_string(path) if path else None
        except ImportError as error:
            yield Error(f"The handler of '{type_}': {error}", id="image_tasks.E003")
            continue
        if handler and not (issubclass(handler, Handler) and handler.type == type_):
            yield Error(
                f"{path} does not handle tasks of type '{type_}'.",
                hint=f"Derive it from Handler and give it type = '{type_}'.",
                id="image_tasks.E003",
            )


def _time_zone() -> Iterator[Error]:
    if not settings.USE_TZ:
        yield Error(
            "Tasks are ordered and expire by aware times.",
            hint="Set USE_TZ = True.",
            id="image_tasks.E004",
        )
