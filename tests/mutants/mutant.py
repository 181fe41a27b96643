"""What a mutant is, and how a list of them is written."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent


class Mutant(NamedTuple):
    """A change for the worse to one file of the package, and the tests that should fail for it."""

    file: str
    """Below ``django_image_tasks/``."""
    old: str
    """Stands in the file exactly once."""
    new: str
    tests: tuple[str, ...]
    """Paths of files, those that notice it soonest first."""

    def applied_to(self, text: str) -> str:
        """The text of the file with the change. Raises ValueError where it cannot be made."""
        if (found := text.count(self.old)) != 1:
            raise ValueError(f"{self.file} has {self.old!r} {found} times")
        return text.replace(self.old, self.new)


def mutants(file: str, tests: str, *changes: tuple[str, str]) -> list[Mutant]:
    """Those of one file. ``engine/turns sweep wire/many`` means ``tests/engine/test_turns.py``,
    ``tests/engine/test_sweep.py`` and ``tests/wire/test_many.py``."""
    room, paths = "", []
    for word in tests.split():
        *other, name = word.split("/")
        room = other[0] if other else room
        paths.append(f"tests/{room}/test_{name}.py")
    return [Mutant(file, old, new, tuple(paths)) for old, new in changes]
