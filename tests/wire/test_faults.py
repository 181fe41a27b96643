"""A fault of ours: told without details, and known to the host as any other."""

from __future__ import annotations

import logging
from typing import Any

import django
import pytest
from django.contrib.auth.models import User
from django.core.signals import got_request_exception
from django.db import connection
from django.db.models.signals import post_save
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.wire.answers import error


@pytest.fixture
def broken(settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": "tests.wire.handlers.Broken"}}


@pytest.fixture
def faults(user: User) -> Any:
    """A client whose test does not end with the server's fault."""
    api = APIClient(raise_request_exception=False)
    api.force_authenticate(user)
    return api


POST = ("/v2/tasks", {"type": "import", "input": {}})


@pytest.mark.parametrize("debug", [True, False])
def test_a_fault_is_told_without_details(
    faults: Any, broken: Any, settings: Any, debug: Any
) -> None:
    settings.DEBUG = debug

    response = faults.post(*POST, format="json")

    assert error(response) == (500, "The server could not process the request.")
    assert list(response.json()) == ["imageFault"]
    assert "x-openstack-request-id" in response


def test_a_fault_sends_djangos_signal(faults: Any, broken: Any) -> None:
    received = []

    def receive(sender, request, **kwargs):
        received.append(request.path)

    got_request_exception.connect(receive)
    faults.post(*POST, format="json")
    got_request_exception.disconnect(receive)

    assert received == ["/v2/tasks"]


def test_a_fault_is_logged_once_as_django_would(
    faults: Any, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    faults.post(*POST, format="json")

    [record] = [record for record in caplog.records if record.name == "django.request"]
    assert record.getMessage() == "Internal Server Error: /v2/tasks"
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError
    assert (record.status_code, record.request.path) == (500, "/v2/tasks")


def test_a_fault_is_mailed_to_the_admins(
    faults: Any, broken: Any, settings: Any, mailoutbox: Any
) -> None:
    mia = "mia@example.com"
    settings.ADMINS = [("Mia", mia)] if django.VERSION < (6, 0) else [mia]

    faults.post(*POST, format="json")

    [mail] = mailoutbox
    assert "Internal Server Error: /v2/tasks" in mail.subject
    assert "ZeroDivisionError" in mail.body


def test_a_fault_in_a_setting_of_the_host(faults: Any, settings: Any) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.broken_owner"}

    assert error(faults.get("/v2/tasks"))[0] == 500


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)


def test_a_fault_rolls_an_atomic_request_back(faults: Any, atomic_requests: Any) -> None:
    def fail(**kwargs):
        raise ZeroDivisionError

    post_save.connect(fail, Task)
    body = {"type": "import", "input": {"import_from": "https://example.com/"}}
    response = faults.post("/v2/tasks", body, format="json")
    post_save.disconnect(fail, Task)

    assert response.status_code == 500
    assert not Task.objects.exists()
