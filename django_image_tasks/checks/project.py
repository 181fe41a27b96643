"""Checks of the project around the app: what it must install, route and provide."""

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

from django_image_tasks import scratch
from django_image_tasks.checks.seams import is_subclass, path_of
from django_image_tasks.conf import conf
from django_image_tasks.extras import install
from django_image_tasks.handlers.image_import.source import NO_HOST, trusted_host
from django_image_tasks.handlers.image_import.storage import get_storage

IMAGE_IMPORT = "django_image_tasks.handlers.image_import.ImageImport"


def check_project() -> Iterator[checks.CheckMessage]:
    """Check everything of this module."""
    needs = _time_zone, _rest_framework, _extra, _tracing, _urls, _tokens
    for check in (*needs, _media_root, _trusted_hosts, _scratch_dir):
        yield from check()


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


def _tracing() -> Iterator[checks.Error]:
    if conf.TRACING and find_spec("opentelemetry") is None:
        yield checks.Error(
            "IMAGE_TASKS['TRACING'] needs OpenTelemetry's API.",
            hint=install("opentelemetry"),
            id="image_tasks.E022",
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
    """Without their app REST framework's class fails at the first request; ours knows no token."""
    token = import_string("rest_framework.authentication.TokenAuthentication")
    classes: Any = conf.AUTHENTICATION_CLASSES or api_settings.DEFAULT_AUTHENTICATION_CLASSES
    if apps.is_installed("rest_framework.authtoken"):
        return
    for cls in classes:
        if is_subclass(cls, token) and cls.model is None:
            yield checks.Error(
                f"{path_of(cls)} has no tokens to look for.",
                hint="Add 'rest_framework.authtoken' to INSTALLED_APPS, and migrate.",
                id="image_tasks.E018",
            )


def _media_root() -> Iterator[checks.Warning]:
    """Without MEDIA_ROOT, Django's storage writes to the directory that a worker starts in."""
    if settings.MEDIA_ROOT or IMAGE_IMPORT not in conf.HANDLERS.values():
        return
    storage = get_storage()
    if isinstance(storage, FileSystemStorage) and storage.base_location == "":
        yield checks.Warning(
            "Imported images are stored in whatever directory a worker is started in.",
            hint="Set MEDIA_ROOT, or STORAGES['images'].",
            id="image_tasks.W008",
        )


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
