"""Which handler ``IMAGE_TASKS["HANDLERS"]`` names for which type of task."""

from __future__ import annotations

import logging

from django.utils.module_loading import import_string

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import UnknownTaskType
from django_image_tasks.handlers.base import Handler
from django_image_tasks.log_lines import line

logger = logging.getLogger(__name__)


def types() -> list[str]:
    """Every type in the setting, including retired ones, which have no handler any more."""
    return list(conf.HANDLERS)


def runnable_types() -> list[str]:
    """The types that have a handler, which are those that a new task may have."""
    return [type_ for type_, path in conf.HANDLERS.items() if path]


def importable_types() -> list[str]:
    """The types whose tasks this process can take: retired ones, and those it can import.

    In a rolling deployment an older worker leaves a newer type to the others.
    """
    return [type_ for type_, path in conf.HANDLERS.items() if not path or _imports(path)]


def _imports(path: str) -> bool:
    try:
        import_string(path)
    except ImportError as error:
        logger.warning(line("handler_not_imported", handler=path, error=error))
        return False
    return True


def get_handler(type_: str) -> Handler:
    """A new instance of the handler for tasks of this type.

    Raises :exc:`~django_image_tasks.exceptions.UnknownTaskType` if there is none (any more).
    """
    path = conf.HANDLERS.get(type_)
    if not path:
        raise UnknownTaskType(f"No handler runs tasks of type '{type_}'.")
    handler: Handler = import_string(path)()
    return handler
