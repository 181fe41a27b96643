"""What one file says of another: links between pages, and headings that the code cites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.readme import ROOT, headings

RESULTS = ROOT / "benchmarks" / "results"
PAGES = [ROOT / "README.md", RESULTS / "README.md", *(ROOT / "docs").rglob("*.md")]
CITATION = re.compile(r'\b((?:docs/)?[\w/-]+\.md), ((?:(?: and )?"[^"\n]+")+)')
CITED = sorted(
    (file.relative_to(ROOT).as_posix(), page, heading)
    for room in ("django_image_tasks", "tests")
    for file in (ROOT / room).rglob("*.py")
    for page, names in CITATION.findall(file.read_text())
    for heading in re.findall('"(.+?)"', names)
)


@pytest.mark.parametrize(("file", "page", "heading"), CITED)
def test_a_cited_heading_is_there(file: str, page: str, heading: str) -> None:
    assert heading in headings(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\(([^)#:]*)#?([^)#:]*)\)", page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in map(_anchor, headings(str(target))), anchor


def test_every_page_of_results_is_in_their_index() -> None:
    links = re.findall(r"\]\((\w+/\w+\.md)\)", (RESULTS / "README.md").read_text())
    written = [page.relative_to(RESULTS).as_posix() for page in RESULTS.glob("*/*.md")]
    assert sorted(links) == sorted(written)


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
