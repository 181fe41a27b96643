from __future__ import annotations

import ast
import subprocess
import sys
from typing import Any

import django
import pytest
from django.conf import global_settings
from django.db import ConnectionHandler
from django.test import modify_settings
from django.utils.module_loading import import_string

from django_image_tasks.checks import database as database_checks
from django_image_tasks.checks import engine as engine_checks
from django_image_tasks.extras import install
from tests.docs.readme import ROOT
from tests.requirements import needs

ENGINES = "django_image_tasks.engines"


def use(settings: Any, engine: str) -> None:
    settings.IMAGE_TASKS = {"ENGINE": f"{ENGINES}.{engine}"}


def test_the_example_passes() -> None:
    assert engine_checks.check_engine() == database_checks.check_sqlite() == []


def test_immediate_is_nothing_wrong_if_it_is_asked_for(settings: Any) -> None:
    use(settings, "immediate")
    settings.TASKS = {}
    assert engine_checks.check_engine() == []


@pytest.mark.parametrize(
    ("engine", "package", "extra"),
    [
        ("celery", "celery", "celery"),
        ("rq", "django_rq", "rq"),
        ("procrastinate", "procrastinate.contrib.django", "procrastinate"),
    ],
)
def test_an_engine_whose_package_is_missing(
    settings: Any, monkeypatch: pytest.MonkeyPatch, engine: str, package: str, extra: str
) -> None:
    use(settings, engine)
    monkeypatch.delitem(sys.modules, f"{ENGINES}.{engine}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)

    [error] = engine_checks.check_engine()

    assert error.id == "image_tasks.E006"
    assert error.msg.startswith(f"IMAGE_TASKS['ENGINE'], {ENGINES}.{engine}, cannot be used: ")
    assert error.hint == install(extra)


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        ("nowhere.engine", "No module named 'nowhere'"),
        ("django_image_tasks.signals", "module '{}' has no attribute 'enqueue'"),
    ],
)
def test_an_engine_that_is_none(settings: Any, engine: str, reason: str) -> None:
    settings.IMAGE_TASKS = {"ENGINE": engine}
    [error] = engine_checks.check_engine()
    assert (error.id, error.hint) == ("image_tasks.E006", None)
    assert error.msg.endswith(f"{engine}, cannot be used: {reason.format(engine)}")


PACKAGE = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"


def use_backend(settings: Any, backend: str) -> None:
    needs("django_image_tasks.engines.django_tasks")
    settings.TASKS = {"default": {"BACKEND": backend}}


def test_a_backend_whose_package_is_missing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use_backend(settings, "django_tasks_db.DatabaseBackend")
    monkeypatch.setitem(sys.modules, "django_tasks_db", None)

    [error] = engine_checks.check_engine()

    assert (error.id, error.hint) == ("image_tasks.E006", install("db"))
    assert "Could not find backend 'django_tasks_db.DatabaseBackend'" in error.msg


@pytest.mark.parametrize(
    ("backend", "what"),
    [
        ("immediate.ImmediateBackend", "runs tasks inside the request that creates them"),
        ("dummy.DummyBackend", "never runs a task"),
    ],
)
def test_a_backend_that_is_no_queue(settings: Any, backend: str, what: str) -> None:
    use_backend(settings, f"{PACKAGE}.backends.{backend}")

    [error] = engine_checks.check_engine()

    name = backend.partition(".")[2]
    assert error.id == "image_tasks.E007"
    assert error.msg == f"The default backend of TASKS is {name}: it {what}."
    assert error.hint == (
        'Set TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, or for tests '
        'IMAGE_TASKS["ENGINE"] = "django_image_tasks.engines.immediate".'
    )


def test_a_hosts_own_backend_that_is_no_queue(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_backend(settings, f"{__name__}.Own")
    immediate = import_string(f"{PACKAGE}.backends.immediate.ImmediateBackend")
    own = type("Own", (immediate,), {"__module__": __name__})
    monkeypatch.setattr(sys.modules[__name__], "Own", own, raising=False)

    [error] = engine_checks.check_engine()

    assert error.msg.startswith("The default backend of TASKS is ImmediateBackend: ")


def test_no_backend_at_all_is_the_immediate_one(settings: Any) -> None:
    settings.TASKS = getattr(global_settings, "TASKS", None)
    [error] = engine_checks.check_engine()
    assert error.id == "image_tasks.E007"


@pytest.mark.parametrize(
    ("engine", "app"),
    [
        ("django_tasks", "django_tasks_db"),
        ("rq", "django_rq"),
        ("procrastinate", "procrastinate.contrib.django"),
    ],
)
def test_an_engine_whose_app_is_not_installed(settings: Any, engine: str, app: str) -> None:
    needs(app.partition(".")[0])
    use(settings, engine)
    with modify_settings(INSTALLED_APPS={"remove": app}):
        [error] = engine_checks.check_engine()

    assert error.id == "image_tasks.E008"
    assert error.msg == f"IMAGE_TASKS['ENGINE'], {ENGINES}.{engine}, needs the app '{app}'."
    assert error.hint == f"Add '{app}' to INSTALLED_APPS, and migrate."


def test_rq_without_its_queue(settings: Any) -> None:
    needs("django_rq")
    use(settings, "rq")
    settings.RQ_QUEUES = {"other": {"HOST": "localhost"}}
    with modify_settings(INSTALLED_APPS={"append": "django_rq"}):
        [error] = engine_checks.check_engine()
    assert (error.id, error.msg) == (
        "image_tasks.E019",
        "RQ_QUEUES has no queue 'default', which image tasks are put on.",
    )
    settings.RQ_QUEUES = {"default": {"HOST": "localhost"}}
    with modify_settings(INSTALLED_APPS={"append": "django_rq"}):
        assert engine_checks.check_engine() == []


PROCRASTINATE = """
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["procrastinate.contrib.django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    IMAGE_TASKS={"ENGINE": "django_image_tasks.engines.procrastinate"},
)
"""
CELERY = """
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=[], IMAGE_TASKS={"ENGINE": "django_image_tasks.engines.celery"}
)
"""
CHECK = """
settings.INSTALLED_APPS += ["django.contrib.auth", "django.contrib.contenttypes"]
settings.INSTALLED_APPS += ["django_image_tasks"]
django.setup()
from django_image_tasks.checks.engine import check_engine

print(*[message.id for message in check_engine()])
"""


@pytest.mark.parametrize(
    ("package", "project", "ids"),
    [
        ("procrastinate", PROCRASTINATE, "image_tasks.E020 image_tasks.W010"),
        (
            "procrastinate",
            PROCRASTINATE
            + 'settings.PROCRASTINATE_WORKER_DEFAULTS = {"shutdown_graceful_timeout": 1}\n',
            "image_tasks.E020",
        ),
        ("celery", CELERY, "image_tasks.W009"),
        ("celery", f"import celery\napp = celery.Celery('mine')\n{CELERY}", ""),
    ],
)
def test_a_queue_that_the_project_has_not_set_up(package: str, project: str, ids: str) -> None:
    needs(package)
    command = [sys.executable, "-c", project + CHECK]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.stdout.strip() == ids, checked.stderr


GOOD = {
    "init_command": "PRAGMA journal_mode = wal",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (GOOD, []),
        (GOOD | {"init_command": "PRAGMA synchronous=NORMAL"}, ["image_tasks.W002"]),
        (GOOD | {"transaction_mode": "DEFERRED"}, ["image_tasks.W002"]),
        (GOOD | {"timeout": 5}, ["image_tasks.W002"]),
        ({}, ["image_tasks.W002"]),
    ],
)
def test_sqlite_as_it_comes(monkeypatch: pytest.MonkeyPatch, options: Any, ids: list[str]) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3", "OPTIONS": options}
    monkeypatch.setattr(database_checks, "connections", ConnectionHandler({"default": database}))
    assert [warning.id for warning in database_checks.check_sqlite()] == ids


def test_the_options_to_paste_are_those_that_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}
    monkeypatch.setattr(database_checks, "connections", ConnectionHandler({"default": database}))
    [warning] = database_checks.check_sqlite()
    pasted = ast.literal_eval("{" + warning.hint.removeprefix("In DATABASES: ") + "}")

    database |= pasted
    monkeypatch.setattr(database_checks, "connections", ConnectionHandler({"default": database}))
    assert database_checks.check_sqlite() == []
