"""Each promise of docs/explanation/guarantees.md says what proves it."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.readme import ROOT
from tests.faults.faults import FAULTS

PAGE = (ROOT / "docs/explanation/guarantees.md").read_text()
PROMISES = dict(re.findall(r"^### (.+)\n\n(.+(?:\n(?!#).*)*)", PAGE, re.MULTILINE))
TESTS = sorted({*re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)})


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_says_what_it_costs_where_it_ends_and_what_proves_it(promise: str) -> None:
    lines = re.findall(r"^- (.+?):", PROMISES[promise], re.MULTILINE)
    assert lines[:3] == ["Costs", "Not promised", "Tests"]
    assert "`tests/" in PROMISES[promise].partition("- Tests: ")[2]


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_named_test_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_named_faults_are_tried() -> None:
    lines = re.findall(r"^- Faults: (.+)$", PAGE, re.MULTILINE)
    assert {*re.findall(r"`(\w+)`", " ".join(lines))} <= {*FAULTS}
