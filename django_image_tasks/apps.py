"""What Django calls when the app is installed."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class ImageTasksConfig(AppConfig):
    """Connects the checks, the handlers' signals, and where it is used the OpenAPI extensions."""

    name = "django_image_tasks"
    verbose_name = _("Image tasks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_image_tasks.checks import register_checks
        from django_image_tasks.executor import send_success
        from django_image_tasks.signals import task_finished

        register_checks()
        task_finished.connect(send_success)
        if apps.is_installed("drf_spectacular"):
            from django_image_tasks import openapi  # noqa: F401 (its classes register themselves)
