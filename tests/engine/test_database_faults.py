"""A database that is away, busy or locked is told from a fault of the program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from django_image_tasks.database_faults import is_temporary
from django_image_tasks.models import Task
from tests.databases import away, end_session, needs_server, other_connection
from tests.requirements import needs

TABLE = Task._meta.db_table


def fault_of(act: Callable[[], Any]) -> Exception:
    try:
        act()
    except (DatabaseError, InterfaceError) as error:
        return error
    pytest.fail("Nothing went wrong.")


def run(sql: str, params: Any = None, on: Any = connection) -> None:
    with on.cursor() as cursor:
        cursor.execute(sql, params)


def test_a_database_that_is_not_there(transactional_db: None) -> None:
    with away():
        assert is_temporary(fault_of(connection.ensure_connection))


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM nowhere", f"SELECT nothing FROM {TABLE}", "SELEC", "SELECT 1/x"]
)
def test_a_mistake_in_a_statement(db: None, sql: Any) -> None:
    assert not is_temporary(fault_of(lambda: run(sql)))


def test_a_row_that_breaks_a_rule(db: None) -> None:
    User.objects.create(username="ada")

    assert not is_temporary(fault_of(lambda: User.objects.create(username="ada")))


def test_a_transaction_that_is_broken_already(transactional_db: None) -> None:
    def go_on() -> None:
        with transaction.atomic():
            with pytest.raises(DatabaseError):
                Task.objects.create(progress=101)
            Task.objects.exists()

    assert not is_temporary(fault_of(go_on))


def test_what_is_raised_because_of_such_a_fault() -> None:
    fault = OperationalError()
    fault.__cause__ = type("Lost", (Exception,), {"sqlstate": None})()
    error = LookupError()
    error.__cause__ = fault

    assert is_temporary(error)
    assert not is_temporary(LookupError())
    assert not is_temporary(OperationalError())


def test_a_session_that_was_ended(transactional_db: None) -> None:
    needs_server()
    connection.ensure_connection()
    end_session()

    first = fault_of(Task.objects.exists)
    second = fault_of(Task.objects.exists)
    connection.close()

    assert is_temporary(first)
    assert is_temporary(second)


STATEMENT_TOO_LONG = {
    "postgresql": "SET statement_timeout = 10; SELECT pg_sleep(5)",
    "mysql": "SET STATEMENT max_statement_time = 0.01 FOR"
    " SELECT COUNT(*) FROM seq_1_to_100000000 a, seq_1_to_100 b",
}


def test_a_statement_that_takes_too_long(transactional_db: None) -> None:
    needs_server()

    fault = fault_of(lambda: run(STATEMENT_TOO_LONG[connection.vendor]))
    connection.close()

    assert is_temporary(fault)


def test_a_deadlock(transactional_db: None) -> None:
    needs_server()
    one, two = (Task.objects.create(type="import", owner="1") for _ in range(2))
    is_locked, faults = threading.Barrier(2), []

    def lock(connection: Any, first: Task, second: Task) -> None:
        try:
            connection.set_autocommit(False)
            for task in (first, second):
                pk = task.pk.hex if connection.vendor == "mysql" else task.pk
                run(f"UPDATE {TABLE} SET progress = 1 WHERE id = %s", [pk], on=connection)
                if task is first:
                    is_locked.wait()
        except OperationalError as fault:
            faults.append(fault)
        finally:
            connection.close()

    with other_connection() as other:
        other.inc_thread_sharing()
        thread = threading.Thread(target=lock, args=(other, two, one))
        thread.start()
        lock(connection, one, two)
        thread.join()

    assert [is_temporary(fault) for fault in faults] == [True]


def test_a_serialization_failure(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL gives up on serializing.")
    Task.objects.create(type="import", owner="1")
    change = f"UPDATE {TABLE} SET progress = progress + 1"

    def overtake() -> None:
        with transaction.atomic(), other_connection() as other:
            run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            Task.objects.exists()
            run(change, on=other)
            run(change)

    assert is_temporary(fault_of(overtake))


def test_a_pool_that_has_no_connection_left(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL has Django's pool.")
    needs("psycopg_pool")
    one, two = (connection.copy(alias="pooled") for _ in range(2))
    for each in (one, two):
        each.settings_dict = {
            **connection.settings_dict,
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 1, "timeout": 0.1}},
        }
    one.ensure_connection()

    fault = fault_of(two.ensure_connection)
    one.close()
    one.close_pool()

    assert is_temporary(fault)


def test_a_locked_file(transactional_db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("A server locks rows.")
    with other_connection() as other, other_connection() as third:
        third.settings_dict = {**third.settings_dict, "OPTIONS": {"timeout": 0}}
        run("BEGIN IMMEDIATE", on=other)
        fault = fault_of(lambda: run(f"DELETE FROM {TABLE}", on=third))

    assert is_temporary(fault)
