"""A page for Prometheus to read, of the gauges alone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from django_image_tasks.prometheus.collector import TaskCollector

__all__ = ["metrics"]


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the gauges, in each of several processes (``PROMETHEUS_MULTIPROC_DIR``) too.

    It asks nobody who they are: route it where only Prometheus comes.
    """
    registry = CollectorRegistry()
    registry.register(TaskCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
