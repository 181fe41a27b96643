"""The code on our pages: every block is tried, each in the way of its language."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.docs.project import Project
from tests.docs.readme import ROOT
from tests.requirements import needs, needs_program

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    (page.relative_to(ROOT).as_posix(), language, code)
    for page in PAGES
    for language, code in re.findall(r"^```(\S*)\n(.*?)^```$", page.read_text(), re.M | re.S)
]
TRIED_ELSEWHERE = {"http", "{toctree}", "javascript", "sql"}
"""Asked by test_http_page, resolved by test_site, run by test_follow_page, and by Procrastinate."""
TUTORIAL = "docs/tutorial.md"
SETUP = (
    "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'yourproject.settings'; "
    "os.environ['KEYSTONE_URL'] = os.environ['KEYSTONE_USER'] = os.environ['KEYSTONE_PASSWORD'] = "
    "'http://127.0.0.1:1'; django.setup()"
)
NOT_CODE = {"text", ""}
FILE = re.compile(r"# (yourproject/\w+\.py)\n")
EXTRAS = {"docs/how-to/keystone.md": "keystonemiddleware", "docs/how-to/storage.md": "storages"}
"""Pages with code for a package that is neither ours nor Django's."""


def in_language(language: str) -> list[tuple[str, str]]:
    return [(page, code) for page, found, code in BLOCKS if found == language]


def test_every_block_is_of_a_language_that_is_tried() -> None:
    tried = {"python", "sh", "json", "yaml", "ini", "nginx"}
    assert {language for _, language, _ in BLOCKS} <= tried | TRIED_ELSEWHERE | NOT_CODE


@pytest.mark.parametrize(("page", "code"), in_language("python"))
def test_python_compiles(page: str, code: str) -> None:
    compile(code, page, "exec")


WITH_FILES = {page for page, code in in_language("python") if FILE.match(code)} - {TUTORIAL}


@pytest.mark.parametrize("page", sorted(WITH_FILES))
def test_its_files_make_a_project_without_a_warning(page: str, tmp_path: Path) -> None:
    if page in EXTRAS:
        needs(EXTRAS[page])
    project = pasted(page, tmp_path)
    project.manage("check", "--fail-level", "WARNING")
    for module in {path.stem for path in (tmp_path / "yourproject").glob("*.py")} - {
        "wsgi",
        "asgi",
    }:
        project.manage("shell", "-v", "0", "-c", f"import yourproject.{module}")


def pasted(page: str, path: Path) -> Project:
    """The project that the tutorial begins with, and the files of a page."""
    project = Project(path)
    for code in codes_of(TUTORIAL)[:2] + codes_of(page):
        if file := FILE.match(code):
            project.append(file[1], code)
    return project


def codes_of(page: str) -> list[str]:
    return [code for found, code in in_language("python") if found == page]


@pytest.mark.parametrize(("page", "code"), in_language("sh"))
def test_a_shell_can_read_it(page: str, code: str) -> None:
    done = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("page", "code"), in_language("json"))
def test_json_is_json(page: str, code: str) -> None:
    json.loads(code)


@pytest.mark.parametrize(("page", "code"), in_language("yaml"))
def test_yaml_is_yaml(page: str, code: str) -> None:
    assert yaml.safe_load(code)


@pytest.mark.parametrize(("page", "code"), in_language("ini"))
def test_a_unit_has_a_command(page: str, code: str) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read_string(code)
    assert "manage.py image_tasks work" in unit["Service"]["ExecStart"]


@pytest.mark.parametrize(("page", "code"), in_language("nginx"))
def test_nginx_takes_it(page: str, code: str, tmp_path: Path) -> None:
    whole = f"error_log stderr; pid {tmp_path}/pid; events {{}} http {{ access_log off; {code} }}"
    (tmp_path / "nginx.conf").write_text(whole)
    command = [needs_program("nginx"), "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
