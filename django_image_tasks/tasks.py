"""What a queue's autodiscovery imports from every installed app (Celery, procrastinate)."""

from __future__ import annotations

from importlib import import_module

from django_image_tasks.conf import conf

import_module(conf.ENGINE)
if conf.ENGINE == "django_image_tasks.engines.celery":
    import_module("django_image_tasks.celery_sweep")
