"""The way from a queue's worker to a task, which keeps no connection longer than it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from django_image_tasks.engines import deliver
from django_image_tasks.models import Task
from tests.engine import workload

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_connection_that_has_had_its_time_is_not_used_again(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Any] = []
    monkeypatch.setattr(
        workload.Callback,
        "during",
        staticmethod(lambda context: used.append(connection.connection)),
    )
    make_task("callback", turn=0)
    connection.ensure_connection()
    old, connection.close_at = connection.connection, 0

    deliver("next")

    [new] = used
    assert new is not old


def test_no_connection_outlasts_a_delivery(make_task: Callable[..., Task]) -> None:
    make_task(turn=0)

    deliver("next")  # CONN_MAX_AGE is 0

    assert workload.runs
    assert connection.connection is None
