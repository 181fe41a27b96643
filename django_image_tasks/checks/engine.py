"""Checks of the engine that hands tasks to a queue, and of what that queue needs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error

from django_image_tasks.conf import conf
from django_image_tasks.extras import install

PACKAGE = "django_image_tasks.engines"
DJANGO_TASKS = f"{PACKAGE}.django_tasks"

EXTRAS = {
    DJANGO_TASKS: "db",
    f"{PACKAGE}.celery": "celery",
    f"{PACKAGE}.procrastinate": "procrastinate",
    f"{PACKAGE}.rq": "rq",
}
APPS = {
    f"{PACKAGE}.procrastinate": "procrastinate.contrib.django",
    f"{PACKAGE}.rq": "django_rq",
}
DATABASE_APP = "django_tasks_db"

NOT_QUEUES = {
    "ImmediateBackend": "runs tasks inside the request that creates them",
    "DummyBackend": "never runs a task",
}


def check_engine(**kwargs: Any) -> list[CheckMessage]:
    """Check that the engine can be used, and let its module check the rest."""
    try:
        engine = import_module(conf.ENGINE)
        engine.enqueue  # noqa: B018
        backend = engine.run_image_task.get_backend() if conf.ENGINE == DJANGO_TASKS else None
    except Exception as error:  # whatever the queue's library raises
        return [_unusable(error)]
    if missing := [*_app(backend)]:
        return [*missing]
    return [*_backend(backend), *getattr(engine, "check", list)()]


def _unusable(error: Exception) -> Error:
    missing = isinstance(error, ImportError) or isinstance(error.__cause__, ImportError)
    extra = EXTRAS.get(conf.ENGINE) if missing else None
    return Error(
        f"IMAGE_TASKS['ENGINE'], {conf.ENGINE}, cannot be used: {error}",
        hint=install(extra) if extra else None,
        id="image_tasks.E006",
    )


def _backend(backend: Any) -> Iterator[Error]:
    for kind in type(backend).__mro__:
        if kind.__name__ in NOT_QUEUES:
            yield Error(
                f"The default backend of TASKS is {kind.__name__}: it {NOT_QUEUES[kind.__name__]}.",
                hint=(
                    'Set TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, or '
                    f'for tests IMAGE_TASKS["ENGINE"] = "{PACKAGE}.immediate".'
                ),
                id="image_tasks.E007",
            )


def _app(backend: Any) -> Iterator[Error]:
    app = APPS.get(conf.ENGINE)
    if type(backend).__module__.startswith(f"{DATABASE_APP}."):
        app = DATABASE_APP
    if app and not apps.is_installed(app):
        yield Error(
            f"IMAGE_TASKS['ENGINE'], {conf.ENGINE}, needs the app '{app}'.",
            hint=f"Add '{app}' to INSTALLED_APPS, and migrate.",
            id="image_tasks.E008",
        )
