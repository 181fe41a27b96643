"""Whether the list of mutants still fits the code."""

from __future__ import annotations

from tests.mutants import MUTANTS
from tests.mutants.mutant import ROOT, Mutant

PACKAGE = ROOT / "django_image_tasks"


def test_each_mutant_can_be_made_and_is_python() -> None:
    assert [*filter(None, map(trouble_with, MUTANTS))] == []


def trouble_with(mutant: Mutant) -> str:
    """Why a mutant cannot be made; empty if it can."""
    try:
        compile(mutant.applied_to((PACKAGE / mutant.file).read_text()), mutant.file, "exec")
    except (OSError, ValueError, SyntaxError) as error:
        return f"{error}: {mutant.old!r} -> {mutant.new!r}"
    return ""


def test_no_mutant_is_the_code_as_it_is_or_there_twice() -> None:
    made = [mutant[:3] for mutant in MUTANTS]
    assert all(old != new for _, old, new in made)
    assert len(set(made)) == len(made)


def test_the_tests_that_should_notice_are_there() -> None:
    paths = {path for mutant in MUTANTS for path in mutant.tests}
    assert [path for path in sorted(paths) if not (ROOT / path).is_file()] == []
