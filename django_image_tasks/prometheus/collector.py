"""The gauges in Prometheus's words."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.db import DatabaseError, InterfaceError
from prometheus_client import REGISTRY, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from django_image_tasks import gauges
from django_image_tasks.log_lines import with_traceback

logger = logging.getLogger(__name__)

HELP = {
    "image_tasks_database_up": "Whether the database answered: 1 or 0, and then alone.",
    "image_tasks_waiting": "Tasks that are due and wait for a worker, by the time since they were "
    "created.",
    "image_tasks_oldest_waiting_seconds": "Time since the oldest of these was created; 0 if none "
    "waits.",
    "image_tasks_running": "Tasks that a worker has.",
    "image_tasks_lost": "Those of the running tasks whose worker has let its lease run out.",
    "image_tasks_finished_recently": "Tasks that ended within the last five minutes.",
    "image_tasks_sweep_age_seconds": "Time since the last sweep began; +Inf if there was none.",
}
LABELS = {
    "image_tasks_waiting": ["age"],
    "image_tasks_finished_recently": ["type", "outcome"],
}


class TaskCollector(Collector):
    """Reads the database when it is asked, and keeps nothing: every process shows the same."""

    def describe(self) -> list[Metric]:
        """The gauges without numbers, for a registry that must not ask the database yet."""
        return [_family(name) for name in HELP]

    def collect(self) -> Iterator[Metric]:
        try:
            seen = gauges.look()
        except (DatabaseError, InterfaceError) as error:
            # The other collectors of this registry are to be heard all the same.
            logger.warning(with_traceback("metrics_failed", error))
            yield _family("image_tasks_database_up", {(): 0})
            return
        yield _family("image_tasks_database_up", {(): 1})
        yield _family("image_tasks_waiting", {(age,): count for age, count in seen.waiting.items()})
        yield _family("image_tasks_oldest_waiting_seconds", {(): seen.oldest})
        yield _family("image_tasks_running", {(): seen.running})
        yield _family("image_tasks_lost", {(): seen.lost})
        yield _family("image_tasks_finished_recently", seen.finished)
        yield _family("image_tasks_sweep_age_seconds", {(): seen.swept})


@cache
def register() -> None:
    """Add the gauges to the process's own registry, once: Django may call ``ready`` again."""
    REGISTRY.register(TaskCollector())


def _family(name: str, values: Mapping[Any, float] | None = None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, HELP[name], labels=LABELS.get(name))
    for labels, value in (values or {}).items():
        family.add_metric(labels, value)
    return family
