"""What Django calls when the app is installed."""

from __future__ import annotations

from django.apps import AppConfig


class PrometheusConfig(AppConfig):
    """Adds the gauges to what this process shows, as django-prometheus does at ``/metrics``."""

    name = "django_image_tasks.prometheus"
    label = "image_tasks_prometheus"

    def ready(self) -> None:
        from django_image_tasks.prometheus.collector import register

        register()
