from __future__ import annotations

import os
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from django_image_tasks.fields import is_mariadb
from django_image_tasks.models import Task


def test_the_suite_runs_on_the_database_that_ci_names(db: None) -> None:
    vendor = "mariadb" if is_mariadb(connection) else connection.vendor
    assert vendor == os.environ.get("EXPECT_DATABASE", vendor)


@pytest.mark.django_db(transaction=True)
def test_a_database_of_the_first_migration_comes_forward_with_its_rows() -> None:
    app, pk = Task._meta.app_label, uuid4()
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes(app)
    try:
        MigrationExecutor(connection).migrate([(app, "0001_initial")])
        old = MigrationExecutor(connection).loader.project_state((app, "0001_initial")).apps
        old.get_model(app, "Task").objects.create(pk=pk, type="import", owner="1", name="kept")
    finally:
        MigrationExecutor(connection).migrate(latest)

    assert [task.pk for task in Task.objects.filter(name="kept")] == [pk]
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, Task._meta.db_table)
    assert {index.name for index in Task._meta.indexes} <= set(constraints)
