"""Whoever meets a database that was not migrated says what to run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ProgrammingError

from django_image_tasks import engines, health, sweep, tickets, unmigrated
from django_image_tasks.exceptions import NotMigrated
from tests.edges.commands import image_tasks
from tests.engine.test_migrations import APP, migrate


@pytest.fixture(params=[None, "0003_bounds"])
def told(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """What is said of a database without our tables, and of one without some columns."""
    nodes = MigrationExecutor(connection).loader.graph.nodes
    names = sorted(name for app, name in nodes if app == APP)
    MigrationExecutor(connection).migrate([(APP, request.param)])
    first = names[names.index(request.param) + 1 if request.param else 0]
    yield (
        f"The database 'default' lacks {first} to {names[-1]} of {APP}. "
        "Run: python manage.py migrate"
    )
    migrate(names[-1])


# One test, for it takes MariaDB ten seconds to go back and forth.
def test_everybody_says_what_to_run(told: str) -> None:
    for meet in (lambda: engines.deliver(tickets.NEXT), sweep.sweep, health.look):
        with pytest.raises(NotMigrated) as caught:
            meet()
        assert str(caught.value) == told
    for command in ("status", "sweep", "work db_worker"):
        ran = image_tasks(*command.split())
        assert (ran.code, ran.err) == (1, told), command

    found = run_checks(databases=["default"], include_deployment_checks=True)
    [check] = [each for each in found if each.id == "image_tasks.E021"]
    assert f"{check.msg} Run: {check.hint}" == told
    # Those that migrate itself makes must not keep it from its work.
    assert check not in run_checks(databases=["default"])

    # PostgreSQL answers nothing more in a transaction that has met an error.
    expected = DatabaseError if connection.vendor == "postgresql" else NotMigrated
    with pytest.raises(expected), transaction.atomic():
        health.look()


def test_one_that_is_migrated_keeps_its_errors(db: None) -> None:
    assert unmigrated.missing_migrations() == ""
    with pytest.raises(ProgrammingError), unmigrated.names_missing_migrations():
        raise ProgrammingError
