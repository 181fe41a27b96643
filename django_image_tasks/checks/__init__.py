"""System checks, with stable ids (docs/reference/python.md, "System checks")."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from django_image_tasks.checks.database import (
    check_charset_option,
    check_database,
    check_migrations,
    check_sqlite,
)
from django_image_tasks.checks.dictionary import check_handlers, check_names, check_values
from django_image_tasks.checks.engine import check_engine
from django_image_tasks.checks.project import check_project
from django_image_tasks.checks.seams import check_seams


def register_checks() -> None:
    for check in (check_settings, check_engine, check_sqlite, check_charset_option):
        register(check, "image_tasks")
    # Under no tag of ours: Django 6.1 asks every database for the checks of a tag that is named.
    register(check_database, Tags.database)
    # For deployments alone: migrate itself asks for the other checks of the database.
    register(check_migrations, Tags.database, deploy=True)


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check the settings, and, where they can be read, what they mean in this project."""
    if not isinstance(getattr(settings, "IMAGE_TASKS", {}), dict):
        return [Error("IMAGE_TASKS must be a dictionary.", id="image_tasks.E001")]
    values = [*check_values()]
    others = [] if values else [*check_handlers(), *check_project(), *check_seams()]
    return [*check_names(), *values, *others]
