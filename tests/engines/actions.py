"""What tests have done in a project's own process (see Project.call)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import import_module
from threading import Thread
from typing import Any
from unittest.mock import patch

from django.contrib.auth import get_user_model
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import reverse

from django_image_tasks.conf import conf
from django_image_tasks.models import Task
from django_image_tasks.services import create_task


class Server(ThreadedWSGIServer):
    request_queue_size = 200


def serve() -> int:
    """Serve the project, for as long as this process lives; returns the port."""
    server = Server(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)


def create_database() -> None:
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)


def destroy_database() -> None:
    connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def submit(input: Mapping[str, Any], type: str = "steps") -> str:
    """Create a task as the API does."""
    with transaction.atomic():
        return str(create_task(type, input, owner="tests").pk)


def submit_in_trace(input: Mapping[str, Any], is_ticket_lost: bool) -> tuple[str, str]:
    """Also returns the trace in which the task was created."""
    from opentelemetry import trace

    with trace.get_tracer("the project").start_as_current_span("request") as span:
        task_id = (create if is_ticket_lost else submit)(input)
    return task_id, f"0x{span.get_span_context().trace_id:032x}"


def submit_many(count: int) -> list[str]:
    return [submit({}) for _ in range(count)]


def submit_in_time(input: Mapping[str, Any]) -> tuple[str, float]:
    """Also returns the seconds it took."""
    started = time.monotonic()
    return submit(input), time.monotonic() - started


def deliver(task_id: str, times: int) -> None:
    """Put the same message on the queue so often, at once."""
    enqueue = import_module(conf.ENGINE).enqueue

    def put(number: int) -> None:
        enqueue(task_id)
        connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        list(pool.map(put, range(times)))


def create(input: Mapping[str, Any]) -> str:
    """Create a task and die before it is on the queue."""
    with patch("django_image_tasks.tickets.submit", lambda task: None):
        return str(create_task("steps", input, owner="tests").pk)


def cancel(task_id: str) -> None:
    Task.objects.get(pk=task_id).cancel("mia")


def row(task_id: str) -> dict[str, Any]:
    task = Task.objects.filter(pk=task_id)
    outcomes = task.get().history.values_list("outcome", flat=True)
    return {**task.values().get(), "outcomes": list(outcomes)}


def ends(task_ids: list[str]) -> list[tuple[str, int]]:
    """The status and the number of attempts of those that have finished."""
    tasks = Task.objects.filter(pk__in=task_ids).exclude(finished_at=None)
    return list(tasks.values_list("status", "attempts"))


def get(path: str) -> Any:
    """What the API answers to an anonymous client."""
    return Client(SERVER_NAME="127.0.0.1").get(path).json()


def export() -> list[str]:
    """The ids of an export of the admin's, the oldest first. Another transaction comes between."""
    name = {"username": "admin", "is_staff": True, "is_superuser": True}
    user, _ = get_user_model().objects.get_or_create(**name)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    url = reverse("admin:django_image_tasks_task_changelist")
    one = Task.objects.values_list("pk", flat=True)[:1]
    data = {"action": "export_as_csv", "_selected_action": one, "select_across": "1"}
    with patch("django_image_tasks.admin.export.CHUNK", 2):
        parts = iter(client.post(url, {**data, "_confirmed": "yes"}))
        lines = [next(parts), next(parts)]
        other = connection.copy()
        other.set_autocommit(False)
        with closing(other), other.cursor() as cursor:
            cursor.execute("SELECT 1")
            lines += parts
    return [line.decode().partition(",")[0] for line in lines[:0:-1]]


def all_tasks() -> list[str]:
    return [str(pk) for pk in Task.objects.values_list("pk", flat=True)]


def lock(task_id: str) -> None:
    """Have the task's row locked, by a connection of its own, until :func:`unlock`."""
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT id FROM django_image_tasks_task WHERE id = %s FOR UPDATE", [task_id])
    locks.append(other)


def unlock() -> None:
    while locks:
        locks.pop().close()


locks: list[Any] = []
