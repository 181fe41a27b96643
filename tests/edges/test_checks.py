from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.core.checks import run_checks
from django.test import modify_settings

from django_image_tasks import checks
from django_image_tasks.handlers.base import Handler


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


def test_the_import_without_its_extra(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    [warning] = checks.check_settings()
    assert warning.id == "image_tasks.W001"
    assert warning.hint == "pip install 'django-image-tasks[import]'"
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    assert found() == []
