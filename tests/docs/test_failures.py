"""The messages of docs/reference/failures.md are ones that the code writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import django_image_tasks
from tests.docs.readme import ROOT

CODE = "\n".join(
    path.read_text() for path in Path(django_image_tasks.__file__).parent.rglob("*.py")
)
MESSAGES = re.findall(
    r"^\| `(.+?)` \|", (ROOT / "docs/reference/failures.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_of_the_code(message: str) -> None:
    parts = [re.escape(part) for part in message.split("…")]
    assert re.search(r"f?\"" + r"\{[^\"]+?\}".join(parts), CODE), message
