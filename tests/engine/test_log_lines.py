from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_image_tasks import executor
from django_image_tasks.log_lines import line, with_traceback
from django_image_tasks.models import Task

LINE_BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("ada", "ada"),
        (7, "7"),
        (None, "None"),
        ("bücher", "bücher"),
        ("host:1:ab", "host:1:ab"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('"', r'"\""'),
        ("a\nb", r'"a\nb"'),
        ("a\x00b", r'"a\u0000b"'),
        ("a\x1b[31mb", r'"a\u001b[31mb"'),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", r'"a\u202eb"'),
        ("a\ud800", r'"a\ud800"'),
    ],
)
def test_a_value_is_one_word_or_quoted(value: Any, written: Any) -> None:
    assert line("event", key=value) == f"event key={written}"


@given(st.text())
def test_every_value_is_read_back_as_it_was(text: Any) -> None:
    written = line("event", owner=text, status="success")
    assert written.isprintable()
    [value] = re.fullmatch(
        r'event owner=("(?:[^"\\]|\\.)*"|[^ "=]+) status=success', written
    ).groups()
    assert (json.loads(value) if value.startswith('"') else value) == text


@pytest.mark.parametrize("line_break", LINE_BREAKS)
def test_an_error_forges_no_line(line_break: Any) -> None:
    try:
        raise ValueError(f"a{line_break}task_ended status=success")
    except ValueError as error:
        written = with_traceback("handler_error", error, task=7)

    first, *others = written.splitlines()
    assert first == "handler_error task=7"
    assert all(each.startswith("  ") for each in others)
    assert "\x1b" not in written


def test_an_error_is_shown_with_what_caused_it() -> None:
    try:
        try:
            raise KeyError("colour")
        except KeyError as error:
            raise ValueError("No http://ada:SECRET@host/a?SECRET") from error
    except ValueError as error:
        written = with_traceback("handler_error", error)

    assert "\n  KeyError: 'colour'\n" in written
    assert written.endswith("\n  ValueError: No http://host")
    assert "SECRET" not in written.replace("ada:SECRET@host/a?SECRET", "")


@pytest.mark.parametrize("line_break", LINE_BREAKS)
def test_an_owner_forges_no_line(
    make_task: Callable[..., Task], caplog: pytest.LogCaptureFixture, line_break: Any
) -> None:
    caplog.set_level(logging.INFO, "django_image_tasks")
    forged = f"1{line_break}task_ended status=success"
    task = make_task(owner=forged, request_id=forged, name=forged)

    executor.run(task.pk)

    messages = [record.getMessage() for record in caplog.records]
    assert [len(each.splitlines()) for each in messages] == [1, 1]
    assert f"owner={json.dumps(forged)} request={json.dumps(forged)}" in messages[0]
