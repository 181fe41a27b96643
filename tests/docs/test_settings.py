from __future__ import annotations

import re
from datetime import timedelta
from getpass import getuser
from inspect import cleandoc
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

from django_image_tasks.checks.dictionary import NAMES
from django_image_tasks.conf import Settings, conf
from tests.docs.readme import ROOT

PAGE = (ROOT / "docs" / "reference" / "settings.md").read_text()
ROWS = re.findall(r"^\| `([A-Z_]+)` \| `(.+?)` \| (.+) \|$", PAGE, re.MULTILINE)
WORDS = {"Path": Path, "getuser": getuser, "gettempdir": gettempdir, "timedelta": timedelta}


def test_every_setting_is_documented_in_the_order_of_the_code() -> None:
    assert [name for name, _, _ in ROWS] == NAMES


@pytest.mark.parametrize(("name", "meaning"), [(name, meaning) for name, _, meaning in ROWS])
def test_the_page_says_what_the_code_says(name: str, meaning: str) -> None:
    docstring = cleandoc(getattr(Settings, name).__doc__)
    assert meaning == docstring.replace("``", "`").replace("\n", " ")


@pytest.mark.parametrize(("name", "default"), [(name, default) for name, default, _ in ROWS])
def test_setting_the_documented_default_changes_nothing(
    settings: Any, name: str, default: str
) -> None:
    settings.IMAGE_TASKS = {}
    unset = getattr(conf, name)
    settings.IMAGE_TASKS = {name: eval(default, WORDS)}
    assert getattr(conf, name) == unset
