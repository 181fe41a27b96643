from __future__ import annotations

import os

from django.db import connection

from django_image_tasks.fields import is_mariadb


def test_the_suite_runs_on_the_database_that_ci_names(db: None) -> None:
    vendor = "mariadb" if is_mariadb(connection) else connection.vendor
    assert vendor == os.environ.get("EXPECT_DATABASE", vendor)
