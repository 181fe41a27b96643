"""The checks of the database, on the one that the tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.core.checks.registry import registry
from django.db import ConnectionHandler, connection

from django_image_tasks.checks import database as database_checks
from django_image_tasks.models import Attempt
from tests.databases import other_connection
from tests.requirements import needs

on_mariadb = pytest.mark.skipif(connection.vendor != "mysql", reason="Of MariaDB alone.")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="Of PostgreSQL alone.")


def found() -> list[tuple[str, str]]:
    messages = database_checks.check_database(databases=["default"])
    return [(str(message.id), message.msg) for message in messages]


def test_the_tests_own_database_passes(db: None) -> None:
    messages = run_checks(tags=[Tags.database], databases=["default"])
    assert [message for message in messages if message.id.startswith("image_tasks.")] == []
    assert database_checks.check_database in registry.get_checks()


def test_without_leave_the_database_is_not_asked() -> None:
    assert database_checks.check_database(databases=None) == []


# MariaDB


@pytest.fixture
def mariadb(transactional_db: None) -> Iterator[Any]:
    """Executes statements; ends its session."""
    with connection.cursor() as cursor:
        yield cursor.execute
    connection.close()


@on_mariadb
@pytest.mark.parametrize("mode", ["", "ANSI_QUOTES,NO_ENGINE_SUBSTITUTION"])
def test_a_session_that_cuts_what_is_too_long(mariadb: Any, mode: str) -> None:
    mariadb(f"SET sql_mode = '{mode}'")

    assert found() == [
        (
            "image_tasks.E009",
            "'default' is not strict. It stores a long owner cut off, as if it were another one.",
        )
    ]


@on_mariadb
@pytest.mark.parametrize("mode", ["STRICT_ALL_TABLES", "TRADITIONAL"])
def test_other_modes_that_are_strict(mariadb: Any, mode: str) -> None:
    mariadb(f"SET sql_mode = '{mode}'")

    assert found() == []


@on_mariadb
def test_the_strict_mode_to_paste_is_one(mariadb: Any) -> None:
    mariadb("SET sql_mode = ''")
    [error] = database_checks.check_database(databases=["default"])
    mariadb(str(error.hint).partition('"init_command": "')[2].removesuffix('"}'))

    assert found() == []


@on_mariadb
def test_a_connection_that_has_no_emoji(mariadb: Any) -> None:
    mariadb("SET NAMES utf8mb3")

    assert found() == [
        (
            "image_tasks.E010",
            "Connections to 'default' have the character set utf8mb3. Two owners that differ in "
            "an emoji are one.",
        )
    ]


@pytest.fixture
def table(mariadb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes a table with these options, in place of one of ours."""

    def make(options: str) -> None:
        mariadb(f"CREATE TABLE checked (worker varchar(64), number int) {options}")
        monkeypatch.setattr(Attempt._meta, "db_table", "checked")

    yield make
    mariadb("DROP TABLE checked")


@on_mariadb
def test_a_table_that_has_no_emoji(table: Any) -> None:
    table("CHARACTER SET utf8mb3")

    assert found() == [
        ("image_tasks.E010", "In 'default' checked.worker has the character set utf8mb3.")
    ]


@on_mariadb
@pytest.mark.parametrize(
    ("options", "engine", "rows"),
    [
        ("ENGINE = MyISAM ROW_FORMAT = DYNAMIC", "MyISAM", "Dynamic"),
        ("ENGINE = InnoDB ROW_FORMAT = COMPACT", "InnoDB", "Compact"),
    ],
)
def test_a_table_that_is_stored_otherwise(table: Any, options: str, engine: str, rows: str) -> None:
    table(options + " CHARACTER SET utf8mb4")

    assert found() == [
        (
            "image_tasks.E011",
            f"In 'default' checked has the engine {engine} and {rows} rows. Only InnoDB has "
            "transactions, and only with dynamic rows long indexes.",
        )
    ]


@on_mariadb
def test_before_there_are_tables_the_servers_defaults_count(
    mariadb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_checks, "_tables", lambda: ("none",))
    mariadb("SET default_storage_engine = MyISAM")

    [(id_, message)] = found()

    assert id_ == "image_tasks.E011"
    assert message.startswith("In 'default' a new table has the engine MyISAM and ")


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"charset": "utf8mb4"}, []),
        ({"charset": "utf8"}, ["image_tasks.W003"]),
        ({"charset": "latin1"}, ["image_tasks.W003"]),
    ],
)
def test_the_character_set_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], ids: list[str]
) -> None:
    needs("MySQLdb")
    database = {"ENGINE": "django.db.backends.mysql", "NAME": "any", "OPTIONS": options}
    monkeypatch.setattr(database_checks, "connections", ConnectionHandler({"default": database}))

    assert [message.id for message in database_checks.check_charset_option()] == ids


# PostgreSQL


@on_postgresql
def test_an_encoding_that_looks_at_nothing(transactional_db: None) -> None:
    name = f"{connection.settings_dict['NAME']}_ascii"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
    try:
        with other_connection() as other:
            other.settings_dict = {**other.settings_dict, "NAME": name}
            [error] = database_checks._utf8(other)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")

    assert error.id == "image_tasks.E012"
    assert error.msg == "'default' has the encoding SQL_ASCII, which cannot hold every text."
