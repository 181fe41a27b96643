"""What Django calls when the app is installed."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class ImageTasksConfig(AppConfig):
    """Registers the system checks, and the OpenAPI extensions where they can be used."""

    name = "django_image_tasks"
    verbose_name = _("Image tasks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_image_tasks.checks import register_checks

        register_checks()
        if apps.is_installed("drf_spectacular"):
            from django_image_tasks import openapi  # noqa: F401 (its classes register themselves)
