"""Checks of the classes that a host puts in place of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.utils.module_loading import import_string

from django_image_tasks.conf import conf

BASES = {
    "AUTHENTICATION_CLASSES": "rest_framework.authentication.BaseAuthentication",
    "PERMISSION_CLASSES": "rest_framework.permissions.BasePermission",
    "THROTTLE_CLASSES": "rest_framework.throttling.BaseThrottle",
    "RENDERER_CLASSES": "rest_framework.renderers.BaseRenderer",
    "FILTERSET_CLASS": "django_image_tasks.filters.TaskFilterSet",
    "SERIALIZER_CLASS": "django_image_tasks.serializers.TaskSerializer",
    "LIST_SERIALIZER_CLASS": "django_image_tasks.serializers.TaskSummarySerializer",
}
"""The base that a class has to have for each setting that names one."""


def check_seams() -> Iterator[checks.Error]:
    """Find classes with another base, and rules for new tasks that only the API would obey."""
    for name, path in BASES.items():
        found = getattr(conf, name)
        for cls in found if isinstance(found, list) else [found]:
            if cls is not None and not is_subclass(cls, import_string(path)):
                yield checks.Error(
                    f"IMAGE_TASKS['{name}']: {path_of(cls)} is no {path.rpartition('.')[2]}.",
                    hint=f"Derive it from {path}.",
                    id="image_tasks.E016",
                )
    yield from _rules_of(conf.SERIALIZER_CLASS)


def _rules_of(serializer: Any) -> Iterator[checks.Error]:
    """Find validation in a serializer: the admin, the terminal and create_task() never call it."""
    ours = import_string(BASES["SERIALIZER_CLASS"])
    if not is_subclass(serializer, ours):
        return
    hooks = ("to_internal_value", "run_validation", "create", "validate")
    rules = [name for name in hooks if getattr(serializer, name) is not getattr(ours, name)]
    rules += [name for name in {*dir(serializer)} - {*dir(ours)} if name.startswith("validate_")]
    if rules:
        yield checks.Error(
            f"IMAGE_TASKS['SERIALIZER_CLASS']: the rules of {path_of(serializer)} for new tasks "
            f"({', '.join(sorted(rules))}) would hold in the API alone.",
            hint="Put them into a function, and name it in IMAGE_TASKS['TASK_VALIDATOR'].",
            id="image_tasks.E017",
        )


def is_subclass(cls: Any, base: type) -> bool:
    """Whether this is a class at all, and has this base."""
    return isinstance(cls, type) and issubclass(cls, base)


def path_of(cls: Any) -> str:
    """The dotted path of a class, as a message names it."""
    return f"{getattr(cls, '__module__', '')}.{getattr(cls, '__qualname__', cls)}"
