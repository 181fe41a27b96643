"""What the list asks for starts inside an index; only what is bounded is sorted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from django_image_tasks.admin.dashboard import Dashboard
from django_image_tasks.models import Task

from .pages import Make, changelist, url_of

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="Others read so small a table from end to end"
)


@pytest.fixture
def marker(make_task: Make) -> Task:
    for number in range(3):
        make_task(created_at=now() + timedelta(seconds=number))
    return Task.objects.order_by("created_at")[1]


def plans(client: Client, query: str) -> Iterator[tuple[str, str]]:
    with CaptureQueriesContext(connection) as queries:
        changelist(client, query)
    with connection.cursor() as cursor:
        for statement in [query["sql"] for query in queries]:
            if 'FROM "django_image_tasks_' in statement:
                cursor.execute("EXPLAIN QUERY PLAN " + statement)
                yield statement, "\n".join(step for *_, step in cursor.fetchall())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "image_task_created"),
        ("after={}", "image_task_created"),
        ("before={}", "image_task_created"),
        ("created=day", "image_task_created (created_at>"),
        ("status__exact=failure", "image_task_status (status="),
        ("status__exact=failure&created=hour", "image_task_status (status=? AND created_at>"),
        ("status__exact=pending&after={}", "image_task_status (status="),
        ("o={badge}", "image_task_status"),
        ("o={badge}&after={}", "image_task_status"),
        ("o=-{whose}&after={}", "image_task_owner"),
        ("q=1", "image_task_owner (owner="),
        ("q=1&o={badge}&after={}", "image_task_owner_status (owner="),
    ],
)
def test_a_page_is_read_in_the_order_of_an_index(
    operator: Client, marker: Task, query: str, index: str
) -> None:
    columns = {name: number for number, name in enumerate(changelist(operator).list_display)}
    found = list(plans(operator, "?" + query.format(marker.pk, **columns)))
    pages = [plan for statement, plan in found if "beginning_of_message" in statement]
    assert len(pages) == 1
    assert index in pages[0]
    assert "TEMP B-TREE" not in pages[0]


def test_the_retries_of_a_task_are_found_where_few_tasks_are_retries(
    operator: Client, marker: Task
) -> None:
    with CaptureQueriesContext(connection) as queries:
        operator.get(url_of(marker))
    [sql] = [query["sql"] for query in queries if '"retry_of" = ' in query["sql"]]

    with closing(sqlite3.connect(":memory:")) as fresh, connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s", [Task._meta.db_table])
        for [definition] in cursor.fetchall():
            fresh.execute(definition or "")
        # As ANALYZE finds them where one in a million is a retry.
        fresh.execute("ANALYZE")
        statistics = [("retry_of", "1000000 500000 1"), ("created", "1000000 1 1")]
        rows = [(Task._meta.db_table, f"image_task_{name}", stat) for name, stat in statistics]
        fresh.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", rows)
        fresh.execute("ANALYZE sqlite_schema")
        [(*_, plan)] = fresh.execute(f"EXPLAIN QUERY PLAN {sql}")

    assert "USING INDEX image_task_retry_of (retry_of=?)" in plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("q=debian", "image_task_name (name>? AND name<?)"),
        ("q=mia", "image_task_user (user_id=?)"),
        ("q=mia", "image_task_image (image_id=?)"),
        ("q=mia", "image_task_request (request_id=?)"),
        ("q=0a1b", "sqlite_autoindex_django_image_tasks_task_1 (id>? AND id<?)"),
        ("q=connection+refused", "image_task_finished (status=?)"),
        ("attention=stuck", "image_task_lease (status=? AND lease_expires_at<?)"),
        ("attention=expiring", "image_task_expires (expires_at>? AND expires_at<?)"),
        ("attention=expired", "image_task_expires (expires_at<?)"),
    ],
)
def test_what_is_looked_for_is_one_range_of_an_index(
    operator: Client, marker: Task, query: str, index: str
) -> None:
    found = [
        plan
        for statement, plan in plans(operator, "?" + query)
        if 'attempt"."id" DESC LIMIT 1000' not in statement
    ]
    assert any(index in plan for plan in found)
    for plan in found:
        assert "SCAN" not in plan
        assert "TEMP B-TREE" not in plan


def test_the_dashboard_reads_nothing_but_indexes(operator: Client, marker: Task) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert Dashboard.read(Task.objects.all()).tiles
    counting = [query["sql"] for query in queries if "capped" in query["sql"]]
    with connection.cursor() as cursor:
        steps = []
        for sql in counting:
            cursor.execute("EXPLAIN QUERY PLAN " + sql)
            steps += [step for *_, step in cursor.fetchall()]
    read = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
    tables = [step for step in read if "capped" not in step and "SCAN CONSTANT ROW" not in step]
    [first] = [step for step in tables if "U0" not in step and "finished_at" not in step]
    assert "sqlite_autoindex" in first
    assert len(tables) == 1 + 3 + 4 + 2 * 24
    assert all("USING COVERING INDEX" in step for step in tables)
