"""The documentation's site, which ``docs/conf.py`` describes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from tests.docs.readme import ROOT
from tests.requirements import needs

SOURCE = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for library in ("sphinx", "furo", "myst_parser"):
        needs(library)
    path = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", SOURCE, path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return path


def test_every_page_is_two_clicks_from_the_start(site: Path) -> None:
    first = _links(site / "index.html")
    second = {page for link in first for page in _links(link)}
    written = {
        site / path.relative_to(SOURCE).with_suffix(".html") for path in SOURCE.rglob("*.md")
    }
    assert written <= first | second


def test_nothing_on_it_is_from_elsewhere(site: Path) -> None:
    tag = re.compile(r'<(?:script|img|link|iframe)\b[^>]*(?:src|href)="((?:https?:)?//[^"]+)')
    style = re.compile(r"(?:@import|url\()[\s\"']*((?:https?:)?//[^\"')]+)")
    tags = [url for page in site.rglob("*.html") for url in tag.findall(page.read_text())]
    styles = [url for sheet in site.rglob("*.css") for url in style.findall(sheet.read_text())]
    assert tags + styles == []


def test_its_search_finds_words_of_the_pages(site: Path) -> None:
    index = (site / "searchindex.js").read_text()
    assert "keystonemiddlewar" in index  # the stem of the word
    assert "reference/http" in index


def _links(page: Path) -> set[Path]:
    hrefs = re.findall(r'<a\b[^>]*href="([^":]+)"', page.read_text())
    targets = {(page.parent / urldefrag(href).url).resolve() for href in hrefs}
    return {target for target in targets if target.suffix == ".html" and target.is_file()}
