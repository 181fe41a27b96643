"""The code on our pages: every block is tried, each in the way of its language.

| language | tried by |
|---|---|
| ``python`` | compiling it; and, from ``# yourproject/….py`` on, pasting its page |
| ``sh`` | test_shell: bash reads it, and each command of ``manage.py`` its arguments |
| ``yaml`` | the schema of Compose's or Kubernetes' files, by the name in its first line |
| ``ini`` | ``systemd-analyze verify`` |
| ``nginx`` | ``nginx -t`` |
| ``sql`` | PostgreSQL, in the tables that Procrastinate makes |
| ``json`` | a parser |
| ``http`` | test_http_page, which sends it and compares the answer |
| ``javascript`` | test_how_to, which runs it |
| ``{toctree}`` | test_site, which builds the site |
| ``text`` | nothing: what a program prints, a formula, a line for another program |
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from django.db import connection, transaction

from tests.docs.project import Project
from tests.docs.readme import ROOT
from tests.requirements import needs, needs_program

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    (page.relative_to(ROOT).as_posix(), language, dedent(code))
    for page in PAGES
    for _, language, code in re.findall(
        r"^( *)```(\S*)\n(.*?)^\1```$", page.read_text(), re.MULTILINE | re.DOTALL
    )
]
TRIED_HERE = {"python", "sh", "yaml", "ini", "nginx", "sql", "json"}
TRIED_ELSEWHERE = {"http", "javascript", "{toctree}"}
TUTORIAL = "docs/tutorial.md"
FILE = re.compile(r"# (yourproject/\w+\.py)\n")
EXTRAS = {
    "docs/how-to/engines/celery.md": ["celery"],
    "docs/how-to/engines/procrastinate.md": ["procrastinate", "psycopg"],
    "docs/how-to/engines/rq.md": ["django_rq"],
    "docs/how-to/keystone.md": ["keystonemiddleware"],
    "docs/how-to/monitor.md": [
        "health_check",
        "opentelemetry",
        "prometheus_client",
        "pythonjsonlogger",
    ],
    "docs/how-to/storage.md": ["storages"],
}
"""Pages with code for packages that are neither ours nor Django's."""
POSTGRESQL = 'DATABASES["default"] = {"ENGINE": "django.db.backends.postgresql", "NAME": "yours"}'
BEFORE = {"docs/how-to/engines/procrastinate.md": POSTGRESQL}
"""What a page takes for granted of a project's settings."""


def in_language(language: str) -> list[tuple[str, str]]:
    return [(page, code) for page, found, code in BLOCKS if found == language]


def test_every_block_is_of_a_language_that_is_tried() -> None:
    languages = {language for _, language, _ in BLOCKS}
    assert languages - {"text"} == TRIED_HERE | TRIED_ELSEWHERE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_is_fenced(page: Path) -> None:
    """A block that is only indented has no language, so that nothing would try it."""
    tokens = needs("markdown_it").MarkdownIt().parse(page.read_text())
    assert [token.content for token in tokens if token.type == "code_block"] == []


@pytest.mark.parametrize(("page", "code"), in_language("python"))
def test_python_compiles(page: str, code: str) -> None:
    compile(code, page, "exec")


WITH_FILES = {page for page, code in in_language("python") if FILE.match(code)} - {TUTORIAL}


@pytest.mark.parametrize("page", sorted(WITH_FILES))
def test_its_files_make_a_project_without_a_warning(page: str, tmp_path: Path) -> None:
    for package in EXTRAS.get(page, []):
        needs(package)
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
    settings = f"# yourproject/settings.py\n{BEFORE.get(page, '')}\n"
    for code in [*codes_of(TUTORIAL)[:2], settings, *codes_of(page)]:
        if file := FILE.match(code):
            project.append(file[1], code)
    return project


def codes_of(page: str) -> list[str]:
    return [code for found, code in in_language("python") if found == page]


@pytest.mark.parametrize(("page", "code"), in_language("json"))
def test_json_is_json(page: str, code: str) -> None:
    json.loads(code)


CHECKERS = {
    "compose.yaml": ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"],
    "prometheus.yml": ["promtool", "check", "config", "--syntax-only"],
    "workers.yaml": ["kubernetes-validate", "--strict"],
}


@pytest.mark.parametrize(("page", "code"), in_language("yaml"))
def test_who_reads_a_yaml_file_takes_it(page: str, code: str, tmp_path: Path) -> None:
    name = code.partition("\n")[0].removeprefix("# ")
    program, *options = CHECKERS[name]
    (tmp_path / name).write_text(code)
    done = subprocess.run(
        [needs_program(program), *options, tmp_path / name], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("page", "code"), in_language("ini"))
def test_systemd_takes_a_unit(page: str, code: str, tmp_path: Path) -> None:
    unit = tmp_path / "worker@1.service"
    unit.write_text(re.sub(r"/srv/\S+/python", sys.executable, code))
    command = [needs_program("systemd-analyze"), "verify", unit]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "code"), in_language("sql"))
def test_postgresql_takes_the_sql(page: str, code: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Procrastinate's tables are PostgreSQL's.")
    schema = needs("procrastinate.schema").SchemaManager.get_schema()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(schema.replace("%", "%%"), [])
        cursor.execute(code)
        transaction.set_rollback(True)


@pytest.mark.parametrize(("page", "code"), in_language("nginx"))
def test_nginx_takes_it(page: str, code: str, tmp_path: Path) -> None:
    whole = f"error_log stderr; pid {tmp_path}/pid; events {{}} http {{ access_log off; {code} }}"
    (tmp_path / "nginx.conf").write_text(whole)
    command = [needs_program("nginx"), "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
