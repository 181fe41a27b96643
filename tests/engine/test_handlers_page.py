"""The handlers that docs/how-to/handlers.md shows, run as they stand there."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from django_image_tasks import executor
from django_image_tasks.context import TaskContext
from django_image_tasks.exceptions import AttemptFailed
from django_image_tasks.models import Task

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "handlers.md"


@pytest.fixture
def handler_of_the_page(image_tasks: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(type: str, name: str) -> None:
        blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        [code] = [block for block in blocks if f"class {name}(" in block]
        module = ModuleType("yourproject_handlers")
        exec(compile(code, str(PAGE), "exec"), module.__dict__)
        monkeypatch.setitem(sys.modules, "yourproject_handlers", module)
        image_tasks["HANDLERS"][type] = f"yourproject_handlers.{name}"

    return use


@pytest.fixture
def digest(handler_of_the_page: Callable[..., None]) -> None:
    handler_of_the_page("digest", "Digest")


def test_the_handler_of_the_page_computes_a_digest(
    digest: Any, make_task: Callable[..., Task], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"image")
    task = make_task("digest", input={"path": str(tmp_path / "file")})

    executor.run(task.pk)

    task.refresh_from_db()
    assert task.result == {"sha512": hashlib.sha512(b"image").hexdigest()}


def test_the_handler_of_the_page_says_what_is_missing(
    digest: Any, make_task: Callable[..., Task]
) -> None:
    task = make_task("digest", input={"path": "/nowhere"})

    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "There is no file /nowhere")


def test_the_second_handler_goes_on_behind_the_line_that_was_counted_last(
    handler_of_the_page: Callable[..., None],
    image_tasks: Any,
    make_task: Callable[..., Task],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler_of_the_page("count-words", "CountWords")
    image_tasks |= {"ENGINE": "tests.engine.workload", "NEXT_ATTEMPT_DELAY": 0}
    keep = TaskContext.checkpoint

    def checkpoint(context: TaskContext, state: Any) -> None:
        keep(context, state)
        if context.attempt == 1 and state["words"] == 3:
            raise AttemptFailed("Again")

    monkeypatch.setattr(TaskContext, "checkpoint", checkpoint)
    path = tmp_path / "file"
    path.write_text("a\nb c\nd e f\n")
    task = make_task("count-words", input={"path": str(path)})

    executor.run(task.pk)
    path.write_text("?\n? ?\nd e f\n".replace("? ?", "???"))
    executor.run(task.pk)

    task.refresh_from_db()
    assert (task.result, task.attempts) == ({"words": 6}, 2)
