from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.core.checks import run_checks
from django.db import ConnectionHandler
from django.test import modify_settings

from django_image_tasks import checks
from django_image_tasks.handlers.base import Handler

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


class Other(Handler):
    type: ClassVar[str] = "other"

    def run(self, context: Any) -> Any:
        raise NotImplementedError


def found() -> list[tuple[str, str]]:
    return [(message.id, message.msg) for message in checks.check_settings()]


def test_the_checks_are_registered_and_the_example_passes_them() -> None:
    assert run_checks(tags=["image_tasks"]) == []


def test_a_setting_that_there_is_not(settings: Any) -> None:
    settings.IMAGE_TASKS = {"LIMIT": 3}
    assert found() == [("image_tasks.E001", "IMAGE_TASKS has no setting 'LIMIT'.")]


def test_a_setting_that_cannot_be_read(settings: Any) -> None:
    settings.IMAGE_TASKS = {"API_LIMIT_MAX": "many"}
    [(id_, message)] = found()
    assert id_ == "image_tasks.E002"
    assert message.startswith("IMAGE_TASKS['API_LIMIT_MAX']: invalid literal for int()")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.Handler", "The handler of 'import': No module named 'nowhere'"),
        (f"{__name__}.Other", f"{__name__}.Other does not handle tasks of type 'import'."),
        ("django.test.Client", "django.test.Client does not handle tasks of type 'import'."),
    ],
)
def test_a_handler_that_is_none(settings: Any, path: str, message: str) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": path, "retired": None}}
    assert found() == [("image_tasks.E003", message)]


def test_naive_times(settings: Any) -> None:
    settings.USE_TZ = False
    assert found() == [("image_tasks.E004", "Tasks are ordered and expire by aware times.")]


@modify_settings(INSTALLED_APPS={"remove": ["rest_framework", "rest_framework.authtoken"]})
def test_rest_framework_not_installed() -> None:
    message = "The pages that browsers get need REST framework's templates."
    assert found() == [("image_tasks.E005", message)]


@pytest.mark.parametrize("path", ["nowhere.engine", "django_image_tasks.engines.kafka"])
def test_an_engine_that_is_none(settings: Any, path: str) -> None:
    settings.IMAGE_TASKS = {"ENGINE": path}
    assert found() == [("image_tasks.E006", f"There is no engine '{path}'.")]


@pytest.mark.parametrize(
    "tasks",
    [
        {},
        {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}},
        {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}},
    ],
)
def test_a_backend_that_is_no_queue(settings: Any, tasks: Any) -> None:
    settings.TASKS = tasks
    message = "The backend of TASKS['default'] runs an import inside the request, or never."
    assert found() == [("image_tasks.E007", message)]
    settings.IMAGE_TASKS = {"ENGINE": "django_image_tasks.engines.immediate"}
    assert found() == []


def test_an_extra_that_is_missing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMAGE_TASKS = {"ENGINE": "django_image_tasks.engines.rq"}
    monkeypatch.setitem(checks.EXTRAS, "django_image_tasks.engines.rq", ("not_there", "rq"))
    [warning] = checks.check_settings()
    assert warning.id == "image_tasks.W001"
    assert warning.msg == "django_image_tasks.engines.rq needs the package that holds 'not_there'."
    assert warning.hint == "pip install 'django-image-tasks[rq]'"


@pytest.mark.parametrize(
    ("options", "ids"),
    [({}, ["image_tasks.W002"]), ({"OPTIONS": {"transaction_mode": "IMMEDIATE"}}, [])],
)
def test_sqlite_as_it_comes(monkeypatch: pytest.MonkeyPatch, options: Any, ids: list[str]) -> None:
    monkeypatch.setattr(checks, "connections", ConnectionHandler({"default": SQLITE | options}))
    assert [id_ for id_, _ in found()] == ids
