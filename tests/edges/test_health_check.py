"""The check for django-health-check, asked by its own page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import path
from django.utils.timezone import now

from django_image_tasks.models import LastSweep, Task
from tests.requirements import needs

page = needs("health_check.views").HealthCheckView
CHECK = "django_image_tasks.health_check.ImageTasks"
urlpatterns = [
    path("up", page.as_view(checks=[CHECK])),
    path("well", page.as_view(checks=[(CHECK, {"strict": True})])),
]
# The check runs in a thread, which sees what is committed.
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


def ask(client: Client, which: str) -> tuple[int, str]:
    answer = client.get(f"/{which}?format=json")
    [told] = answer.json().values()
    return answer.status_code, told


def sweep(ago: timedelta) -> None:
    moment = now() - ago
    LastSweep.objects.create(pk=1, ran_at=moment, sweeper="host:7", ticket_at=moment)


def test_all_is_well(client: Client) -> None:
    sweep(timedelta(seconds=8))
    assert ask(client, "up") == ask(client, "well") == (200, "OK")


def test_what_is_degraded_is_up(client: Client) -> None:
    sweep(timedelta(hours=1))
    assert ask(client, "up") == (200, "OK")
    told = "Warning: Degraded: `manage.py image_tasks status` has the reasons."
    assert ask(client, "well") == (500, told)


def test_nothing_runs(client: Client, make_task: Callable[..., Task]) -> None:
    sweep(timedelta(seconds=8))
    make_task(turn=1, lease_expires_at=None, updated_at=now() - timedelta(minutes=4))
    assert ask(client, "up") == (500, "Unavailable: Tasks are due, and no worker starts one.")


def test_a_database_that_is_away_is_told_in_words(client: Client) -> None:
    with patch("django_image_tasks.health.look", side_effect=OperationalError("at 10.0.0.7")):
        assert ask(client, "up") == (500, "Unavailable: The database does not answer.")
