"""docs/explanation/comparison.md has the figures of the benchmarks' results, and no older ones."""

from __future__ import annotations

import re

import pytest

from tests.docs.readme import ROOT

PAGE = " ".join((ROOT / "docs/explanation/comparison.md").read_text().split())
OURS, PLAIN_DRF, NINJA = 1, 2, 3


@pytest.mark.parametrize(
    ("results", "row", "column", "sentence"),
    [
        ("worker", "a task of the engine's own", 1, "an empty one took {}"),
        ("worker", "an image task", 1, "one of ours on the same queue {}"),
        ("list", "25 tasks", OURS, "took {} here"),
        ("list", "25 tasks", PLAIN_DRF, "{} with REST framework"),
        ("list", "25 tasks", NINJA, "{} with django-ninja"),
        ("list", "25 tasks after 95 %", OURS, "after 95 % of them {}"),
        ("list", "25 tasks after 95 %", PLAIN_DRF, "after 95 % of them 1.5 ms, {} and"),
        ("list", "25 tasks after 95 %", NINJA, "and {} (PostgreSQL)"),
    ],
)
def test_a_figure_is_that_of_the_results(
    results: str, row: str, column: int, sentence: str
) -> None:
    text = (ROOT / f"benchmarks/results/postgresql/{results}.md").read_text()
    # The last table that has such a row is the one of a million tasks.
    cells = re.findall(rf"^\| {re.escape(row)} \|.*$", text, re.MULTILINE)[-1].split("|")
    value = float(cells[column + 1].removesuffix(" ms "))
    rounded = f"{value:.0f}" if value >= 100 else f"{value:.2g}"
    assert sentence.format(f"{rounded} ms") in PAGE
