"""The handler that docs/how-to/handlers.md shows, run as it stands there."""

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
from django_image_tasks.models import Task

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "handlers.md"


@pytest.fixture
def digest(image_tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    module = ModuleType("yourproject_handlers")
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "yourproject_handlers", module)
    image_tasks["HANDLERS"]["digest"] = "yourproject_handlers.Digest"


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
