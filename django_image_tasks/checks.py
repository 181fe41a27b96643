"""System checks of the host's settings; the ids are stable."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import connections
from django.utils.module_loading import import_string

from django_image_tasks.conf import Settings, conf
from django_image_tasks.handlers.base import Handler

NAMES = [name for name in vars(Settings) if name.isupper()]

DJANGO_TASKS = "django_image_tasks.engines.django_tasks"
EXTRAS = {
    "django_image_tasks.handlers.image_import.ImageImport": ("requests_hardened", "import"),
    "django_image_tasks.engines.celery": ("celery", "celery"),
    "django_image_tasks.engines.procrastinate": ("procrastinate", "procrastinate"),
    "django_image_tasks.engines.rq": ("django_rq", "rq"),
}
"""What a setting may name → the module that it needs, and the extra that brings it."""
if django.VERSION < (6, 0):
    EXTRAS[DJANGO_TASKS] = ("django_tasks", "db")


def register() -> None:
    checks.register(check_settings, "image_tasks")


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:
    return [
        *_unknown_settings(),
        *_unreadable_settings(),
        *_handlers(),
        *_time_zone(),
        *_rest_framework(),
        *_engine(),
        *_extras(),
        *_sqlite(),
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


def _engine() -> Iterator[checks.Error]:
    try:
        engine = find_spec(conf.ENGINE)
    except ImportError:
        engine = None
    if engine is None:
        yield checks.Error(
            f"There is no engine '{conf.ENGINE}'.",
            hint="IMAGE_TASKS['ENGINE'] is the dotted path of a module.",
            id="image_tasks.E006",
        )
    # Without the setting, both Django and the backport run a task where it was enqueued.
    tasks = getattr(settings, "TASKS", {}).get("default", {})
    backend = tasks.get("BACKEND", "ImmediateBackend").rpartition(".")[2]
    if conf.ENGINE == DJANGO_TASKS and backend in ("ImmediateBackend", "DummyBackend"):
        yield checks.Error(
            "The backend of TASKS['default'] runs an import inside the request, or never.",
            hint="Name another one, for example 'django_tasks_db.DatabaseBackend'.",
            id="image_tasks.E007",
        )


def _extras() -> Iterator[checks.Warning]:
    for named in (*conf.HANDLERS.values(), conf.ENGINE):
        module, extra = EXTRAS.get(named or "", ("", ""))
        if module and find_spec(module) is None:
            yield checks.Warning(
                f"{named} needs the package that holds '{module}'.",
                hint=f"pip install 'django-image-tasks[{extra}]'",
                id="image_tasks.W001",
            )


def _sqlite() -> Iterator[checks.Warning]:
    for connection in connections.all():
        options = connection.settings_dict["OPTIONS"]
        if connection.vendor == "sqlite" and options.get("transaction_mode") != "IMMEDIATE":
            yield checks.Warning(
                f"Workers that write to '{connection.alias}' at once meet \"database is locked\".",
                hint=(
                    "Give its OPTIONS 'transaction_mode': 'IMMEDIATE', 'timeout': 20 and "
                    "'init_command': 'PRAGMA journal_mode=WAL;'."
                ),
                id="image_tasks.W002",
            )
