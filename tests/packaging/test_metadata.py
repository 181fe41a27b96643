from __future__ import annotations

import re
import tomllib

from django_image_tasks.checks.engine import EXTRAS
from tests.docs.readme import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CI = (ROOT / ".ci" / "run").read_text()


def classified(prefix: str) -> list[str]:
    """The versions that the classifiers name below a prefix."""
    pattern = re.compile(re.escape(prefix) + r" :: (\d+\.\d+)")
    return [match[1] for name in PROJECT["classifiers"] if (match := pattern.fullmatch(name))]


def test_the_classifiers_name_what_ci_runs() -> None:
    pairs = re.findall(r"^environment \w+ (\S+) 'django==(\S+)\.\*'", CI, re.MULTILINE)
    pythons, djangos = zip(*pairs, strict=True)
    assert list(pythons) == classified("Programming Language :: Python")
    assert list(djangos) == classified("Framework :: Django")


def test_the_lowest_pair_is_what_the_requirements_allow() -> None:
    assert PROJECT["requires-python"] == f">={classified('Programming Language :: Python')[0]}"
    assert f"django>={classified('Framework :: Django')[0]}" in PROJECT["dependencies"]


def test_the_extras_that_the_checks_name_exist() -> None:
    assert {"import", *EXTRAS.values()} <= set(PROJECT["optional-dependencies"])
