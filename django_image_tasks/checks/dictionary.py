"""Checks of the dictionary ``IMAGE_TASKS`` itself."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from django_image_tasks.conf import Settings, conf
from django_image_tasks.handlers.base import Handler

NAMES = [name for name in vars(Settings) if name.isupper()]


def check_names() -> Iterator[checks.Error]:
    """Find names that no setting has."""
    for name in getattr(settings, "IMAGE_TASKS", {}):
        if name not in NAMES:
            yield checks.Error(
                f"IMAGE_TASKS has no setting '{name}'.",
                hint=f"There are: {', '.join(NAMES)}.",
                id="image_tasks.E001",
            )


def check_values() -> Iterator[checks.Error]:
    """Find values of the wrong type or out of range, by reading every setting."""
    for name in NAMES:
        try:
            getattr(conf, name)
        except (ImportError, ValueError) as error:
            yield checks.Error(f"IMAGE_TASKS['{name}']: {error}", id="image_tasks.E002")


def check_handlers() -> Iterator[checks.Error]:
    """Find handlers that cannot be imported, or that run another type than they are named for."""
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
