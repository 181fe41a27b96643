from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import translation

from tests.edges.commands import image_tasks

COMMANDS = ["list", "show", "create", "watch", "cancel", "retry", "status"]
COMMANDS += ["sweep", "purge", "completion", "work"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(
    command: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with translation.override(language):
        assert image_tasks(command, "--help").code == 0
    assert f" {command} [-h]" in capsys.readouterr().out


def test_the_commands_and_exit_codes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    image_tasks("--help")
    told = capsys.readouterr().out
    assert [command for command in COMMANDS if f"\n    {command} " not in told] == []
    assert "3 no such task" in told


def test_the_filters_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    image_tasks("list", "--help")
    told = capsys.readouterr().out
    for text in ("--created-at TIME", "pending, processing, success, failure", "--marker ID"):
        assert text in told
    assert "--settings" not in told


def test_it_speaks_german(db: None) -> None:
    with translation.override("de"):
        assert image_tasks("list").err == "Keine Aufgaben.\n"
        assert image_tasks("purge").out == "0 abgelaufene Aufgaben gelöscht.\n"
        # What the API says is the API's own.
        assert image_tasks("show", "7").err == "Could not find task 7"


def test_a_setting_that_names_nothing_is_for_the_system_checks(db: None, settings: Any) -> None:
    settings.IMAGE_TASKS = {"FILTERSET_CLASS": "nowhere.FilterSet"}
    with pytest.raises(SystemCheckError, match="FILTERSET_CLASS"):
        call_command("image_tasks", "purge", skip_checks=False, stderr=StringIO())
