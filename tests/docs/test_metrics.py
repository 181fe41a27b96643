"""What is said about monitoring, held to the code; and the alerts, held to Prometheus."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from django_image_tasks import gauges
from django_image_tasks.log_lines import line, with_traceback
from tests.docs.readme import ROOT, blocks
from tests.requirements import needs, needs_program

ALERTS = ROOT / "docs" / "alerts.yml"
REFERENCE = (ROOT / "docs" / "reference" / "metrics.md").read_text()
HOW_TO = "docs/how-to/monitor.md"
PAGE = (ROOT / HOW_TO).read_text()
EVENT = re.compile(
    r"logger\.(\w+)\(\s*(?:line|with_traceback)\(\s*f?\"([\w{}]+)\"|\b_(log)\(\s*\"(\w+)\""
)


def test_the_page_lists_the_gauges_and_their_labels() -> None:
    needs("prometheus_client")
    collector = import_module("django_image_tasks.prometheus.collector")
    rows = re.findall(r"^\| `(image_tasks_\w+)` \| (.*?)\| (.+) \|$", REFERENCE, re.MULTILINE)
    assert [(name, text) for name, _, text in rows] == [*collector.HELP.items()]
    labels = {name: re.findall(r"`(\w+)`", cell) for name, cell, _ in rows}
    assert {name: found for name, found in labels.items() if found} == collector.LABELS


def test_the_page_names_the_classes_of_age_and_the_limits() -> None:
    [told] = re.findall(r"^- `age` is (.+)\. The sum", REFERENCE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", told) == [*gauges.AGES]
    assert f"At most {gauges.MOST:,} waiting tasks, {gauges.MOST_RUNNING:,} running" in REFERENCE


def test_the_page_lists_every_event_that_is_logged_with_its_level() -> None:
    logged = set()
    for path in (ROOT / "django_image_tasks").rglob("*.py"):
        for level, event, is_task, of_task in EVENT.findall(path.read_text()):
            name = re.sub(r"\{\w+\}", r"\\w+", event or of_task)
            logged.add((name, "info" if is_task else level))
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| .+ \|$", PAGE, re.MULTILINE)
    told = {
        (name, level): {row for row in rows if re.fullmatch(name, row[0]) and row[1] == level}
        for name, level in logged
    }
    assert [event for event, found in told.items() if not found] == []
    assert set(rows) == set().union(*told.values())


def test_every_alert_is_on_the_page_and_asks_for_gauges_that_exist() -> None:
    [group] = yaml.safe_load(ALERTS.read_text())["groups"]
    rules = {(rule["alert"], rule["labels"]["severity"]) for rule in group["rules"]}
    assert rules == set(re.findall(r"^\| `(ImageTasks\w+)` \| (\w+) \|", PAGE, re.MULTILINE))
    asked = set(re.findall(r"\bimage_tasks_\w+", " ".join(r["expr"] for r in group["rules"])))
    assert asked <= set(re.findall(r"\bimage_tasks_\w+", REFERENCE))


def test_prometheus_takes_the_alerts_and_they_fire_when_they_should(tmp_path: Path) -> None:
    promtool = needs_program("promtool")
    shutil.copy(ALERTS, tmp_path)
    shutil.copy(Path(__file__).with_name("alerts_test.yml"), tmp_path)
    for what, file in (("check", "alerts.yml"), ("test", "alerts_test.yml")):
        command = [promtool, what, "rules", file]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "SUCCESS" in done.stdout + done.stderr


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Any:
    """Log something in the JSON form of the page; returns what was written."""
    needs("pythonjsonlogger")
    module, settings = [code for code in blocks("python", page=HOW_TO) if "FieldsFormatter" in code]
    scope: dict[str, Any] = {"LOGGING": {"formatters": {}}}
    exec(module, scope)
    exec(settings, scope)
    options = scope["LOGGING"]["formatters"]["line"]
    assert options.pop("()") == "yourproject.logs.FieldsFormatter"
    formatter = scope["FieldsFormatter"](options.pop("format"), **options)

    def write(message: str, level: int = logging.INFO) -> dict[str, Any]:
        record = logging.LogRecord("django_image_tasks.executor", level, "", 0, message, (), None)
        told: dict[str, Any] = json.loads(formatter.format(record))
        assert re.match(r"\d{4}-\d\d-\d\d ", told.pop("time"))
        assert (told.pop("level"), told.pop("logger")) == ("INFO", "django_image_tasks.executor")
        return told

    return write


def test_the_json_form_has_the_fields_of_a_line(written: Any) -> None:
    assert written(line("no_url", name="a b", attempt=1, error=None)) == {
        "message": "no_url",
        "name": "a b",
        "attempt": 1,
        "error": None,
    }


def test_the_json_form_has_the_traceback_without_secrets(written: Any) -> None:
    try:
        raise ValueError("No http://ada:SECRET@host/a")
    except ValueError as error:
        told = written(with_traceback("handler_error", error, task=7))
    assert (told["message"], told["task"]) == ("handler_error", 7)
    assert told["traceback"].endswith("\nValueError: No http://host")


def test_what_others_log_is_written_as_it_is(written: Any) -> None:
    assert written("Watching for file changes") == {"message": "Watching for file changes"}
