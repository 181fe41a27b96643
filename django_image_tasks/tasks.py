"""The module that Celery and procrastinate look for in every app. It imports the engine's tasks."""

from __future__ import annotations

from importlib import import_module

from django_image_tasks.conf import conf

import_module(conf.ENGINE)
if conf.ENGINE == "django_image_tasks.engines.celery":
    import_module("django_image_tasks.celery_sweep")
