"""docs/reference/python.md lists what may be imported, and nothing else may."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

import django_image_tasks
from tests.docs.readme import ROOT, blocks
from tests.requirements import needs

PACKAGE = Path(django_image_tasks.__file__).parent
PAGE = "docs/reference/python.md"
TEXT = (ROOT / PAGE).read_text()
SECTIONS = dict(re.findall(r"^### `([\w.]+)`\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
LISTED = {
    module: re.findall(r"^\| `(\w+)(?:\((.*?)\))?` \|", section, re.MULTILINE)
    for module, section in SECTIONS.items()
}
OF_AN_EXTRA = {
    "django_image_tasks.health_check": "health_check",
    "django_image_tasks.prometheus.views": "prometheus_client",
}
"""Modules that can be imported where another package is."""


def imported(module: str) -> ModuleType:
    if module in OF_AN_EXTRA:
        needs(OF_AN_EXTRA[module])
    return import_module(module)


@pytest.mark.parametrize("module", LISTED)
def test_the_page_lists_what_a_module_exports(module: str) -> None:
    exported = imported(module).__all__
    assert sorted(name for name, _ in LISTED[module]) == sorted(exported)
    assert all(hasattr(imported(module), name) for name in exported)


def test_no_other_module_exports_anything() -> None:
    exporting = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE.rglob("*.py")
        if "__all__" in path.read_text()
    }
    assert exporting == {*LISTED, "django_image_tasks"}


@pytest.mark.parametrize(
    ("module", "name", "parameters"),
    [(module, *row) for module, rows in LISTED.items() for row in rows if row[1]],
)
def test_a_signature_is_that_of_the_code(module: str, name: str, parameters: str) -> None:
    signature = inspect.signature(getattr(imported(module), name))
    bare = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    assert f"({parameters})" == str(inspect.Signature(bare))


def test_the_version_is_the_installed_one() -> None:
    assert django_image_tasks.__version__ == version("django-image-tasks")
    assert "`django_image_tasks.__version__`" in TEXT


@pytest.mark.parametrize("code", blocks("python", page=PAGE))
def test_its_examples_compile(code: str) -> None:
    compile(code, PAGE, "exec")


def test_every_check_has_its_remedy_on_the_page() -> None:
    ids = set()
    for path in PACKAGE.rglob("*.py"):
        ids |= set(re.findall(r'id="(image_tasks\.[EW]\d{3})"', path.read_text()))
    rows = re.findall(r"^\| `(image_tasks\.[EW]\d{3})` \| .+ \| .+ \|$", TEXT, re.MULTILINE)
    assert rows == sorted(ids)
