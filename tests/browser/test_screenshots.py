from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

from tests.browser.screenshots.__main__ import PICTURES
from tests.requirements import needs

PAGE = PICTURES.parent / "explanation" / "pages.md"


def sizes(directory: Path) -> dict[str, tuple[int, int]]:
    pictures = sorted(directory.glob("*.png"))
    return {each.name: struct.unpack(">II", each.read_bytes()[16:24]) for each in pictures}


def test_they_can_be_taken_again(tmp_path: Path) -> None:
    needs("rich")
    needs("unfold")
    command = [sys.executable, "-m", "tests.browser.screenshots", str(tmp_path)]
    done = subprocess.run(command, cwd=PAGE.parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sizes(tmp_path) == sizes(PICTURES)


def test_the_page_shows_them_all() -> None:
    shown = re.findall(r"\(\.\./screenshots/(.+?)\)", PAGE.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(sizes(PICTURES))


def test_they_are_light() -> None:
    assert all(picture.stat().st_size < 300_000 for picture in PICTURES.iterdir())
