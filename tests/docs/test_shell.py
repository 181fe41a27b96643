"""The lines for a shell on our pages: what they name exists, and takes these arguments."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib

import pytest
from django.core.management import load_command_class
from django.db import connections

from tests.docs.readme import ROOT
from tests.docs.test_pages import BLOCKS, in_language
from tests.requirements import needs

LINES = [
    line.strip()
    for _, _, code in BLOCKS
    for line in re.findall(r"python manage\.py ([^|)\n]+)", code.replace("\\\n", ""))
]
APPS = {
    "createsuperuser": "django.contrib.auth",
    "db_worker": "django_tasks_db",
    "demo": "example_project",
    "drf_create_token": "rest_framework.authtoken",
    "image_tasks": "django_image_tasks",
    "procrastinate": "procrastinate.contrib.django",
    "prune_db_task_results": "django_tasks_db",
    "rqworker": "django_rq",
    "spectacular": "drf_spectacular",
}
"""The app of each command that is not one of Django's core."""


@pytest.mark.parametrize(("page", "code"), in_language("sh"))
def test_bash_can_read_it(page: str, code: str) -> None:
    done = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("line", sorted({*LINES}))
def test_a_command_takes_these_arguments(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings, "tasks", connections.settings["default"])
    ours, _, workers = line.partition(" work ")
    lines = [f"{ours} work {workers}", workers] if workers else [line]
    for name, *arguments in (shlex.split(each, comments=True) for each in lines):
        app = APPS.get(name, "django.core")
        needs(app)
        load_command_class(app, name).create_parser("manage.py", name).parse_args(arguments)


def test_the_extras_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [
        extra
        for _, _, code in BLOCKS
        for extras in re.findall(r"django-image-tasks\[([\w,]+)\]", code)
        for extra in extras.split(",")
    ]
    assert {"db", "import"} <= {*named} <= {*project["optional-dependencies"]}
