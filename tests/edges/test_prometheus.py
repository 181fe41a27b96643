"""The gauges as Prometheus reads them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import path
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.models import Task
from tests.requirements import needs

prometheus_client = needs("prometheus_client")
views = needs("django_image_tasks.prometheus.views")
collector = needs("django_image_tasks.prometheus.collector")

urlpatterns = [path("metrics/image-tasks", views.metrics)]
pytestmark = pytest.mark.urls(__name__)


def read(client: Client) -> dict[str, float]:
    """What Prometheus reads on the page: samples by name and labels."""
    answer = client.get("/metrics/image-tasks")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = needs("prometheus_client.parser").text_string_to_metric_families(
        answer.content.decode()
    )
    samples = [sample for family in families for sample in family.samples]
    return {
        " ".join([each.name, *map(each.labels.get, sorted(each.labels, reverse=True))]): each.value
        for each in samples
    }


def test_the_page_shows_the_gauges(client: Client, make_task: Callable[..., Task]) -> None:
    make_task(turn=1, lease_expires_at=None)
    make_task(status="processing", lease_expires_at=now())
    make_task(status="failure", finished_at=now())
    seen = read(client)
    assert 0 <= seen.pop("image_tasks_oldest_waiting_seconds") < 60
    assert seen == {
        "image_tasks_database_up": 1,
        "image_tasks_waiting under_1m": 1,
        "image_tasks_waiting 1m_to_5m": 0,
        "image_tasks_waiting 5m_to_15m": 0,
        "image_tasks_waiting 15m_to_1h": 0,
        "image_tasks_waiting over_1h": 0,
        "image_tasks_running": 1,
        "image_tasks_lost": 1,
        "image_tasks_finished_recently import success": 0,
        "image_tasks_finished_recently other success": 0,
        "image_tasks_finished_recently import failure": 1,
        "image_tasks_finished_recently other failure": 0,
        "image_tasks_sweep_age_seconds": float("inf"),
    }


def test_a_scrape_asks_four_queries_and_names_no_owner(
    client: Client,
    make_task: Callable[..., Task],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_task(owner="Wilhelmina", status="processing")
    with django_assert_num_queries(4):
        answer = client.get("/metrics/image-tasks")
    assert b"Wilhelmina" not in answer.content


def test_the_page_is_only_read(client: Client, db: None) -> None:
    assert client.head("/metrics/image-tasks").status_code == 200
    assert client.post("/metrics/image-tasks").status_code == 405


def test_a_database_that_is_away_is_a_number_too(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with patch("django_image_tasks.gauges.last_sweep", side_effect=OperationalError("gone")):
        assert read(client) == {"image_tasks_database_up": 0}
    assert caplog.messages[0].startswith("metrics_failed\n")


def test_to_register_the_gauges_asks_no_query(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    registry = prometheus_client.CollectorRegistry(auto_describe=True)
    with django_assert_num_queries(0):
        registry.register(collector.TaskCollector())
    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(collector.TaskCollector())


PROJECT = """
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework",
        "django_image_tasks", *{apps}],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
    USE_TZ=True, ALLOWED_HOSTS=["testserver"], ROOT_URLCONF="urls",
)
import django, sys, types
django.setup()
from django.core.management import call_command
from django.test import Client
from django.urls import include, path
call_command("migrate", verbosity=0)
sys.modules["urls"] = types.SimpleNamespace(urlpatterns={urls})
print(Client().get("/metrics").content.decode())
"""


def page(apps: list[str], urls: str, **environ: Any) -> str:
    """What a project of its own, in a process of its own, answers at ``/metrics``."""
    done = subprocess.run(
        [sys.executable, "-c", PROJECT.format(apps=apps, urls=urls)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), **environ},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BESIDE = ["django_image_tasks.prometheus"]
DEFAULT_PAGE = """[path("metrics", lambda request: __import__("django").http.HttpResponse(
    __import__("prometheus_client").generate_latest()))]"""
OWN_PAGE = """[path("metrics",
    __import__("django_image_tasks.prometheus.views", fromlist=["metrics"]).metrics)]"""


def test_the_app_adds_the_gauges_to_what_a_process_shows() -> None:
    assert "\nimage_tasks_running 0.0\n" in page(BESIDE, DEFAULT_PAGE)
    assert "image_tasks" not in page([], DEFAULT_PAGE)


def test_the_app_may_be_made_ready_again() -> None:
    """As tests do that override INSTALLED_APPS."""
    again = '__import__("django").apps.apps.get_app_config("image_tasks_prometheus").ready()'
    shown = page(BESIDE, f"{DEFAULT_PAGE} + ({again} or [])")
    assert shown.count("\nimage_tasks_running 0.0\n") == 1


def test_they_are_on_the_page_of_django_prometheus() -> None:
    pytest.importorskip("django_prometheus")  # which does not know Django 6.1
    shown = page(["django_prometheus", *BESIDE], '[path("", include("django_prometheus.urls"))]')
    assert "\nimage_tasks_running 0.0\n" in shown
    assert "\npython_info{" in shown


def test_one_of_many_processes_shows_them_on_a_page_of_our_own(tmp_path: Path) -> None:
    assert "\nimage_tasks_running 0.0\n" in page(
        [], OWN_PAGE, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)
    )


def test_without_the_app_nothing_imports_the_client() -> None:
    code = """[path("metrics", lambda request: __import__("django").http.HttpResponse(
        str("prometheus_client" in sys.modules)))]"""
    assert page([], code) == "False\n"
