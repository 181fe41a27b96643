"""The README, pasted into projects that two generators make, which have the wheel installed.

Run from the clone; the argument is the directory of the programs of an environment that has the
wheel with the extras ``db`` and ``import``, and Wagtail.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.readme import code_for

PASTE = "Into your project"
USE = """
import django_image_tasks
from django.contrib.auth import get_user_model
from django.test import Client
print(django_image_tasks.__file__)
client = Client(headers={"host": "localhost"})
client.force_login(get_user_model().objects.create_superuser("ada", "ada@example.org", "ada"))
task = {"type": "import", "input": {"import_from": "http://images.invalid/"}}
print(client.post("/v2/tasks", task, content_type="application/json").status_code)
print([task["status"] for task in client.get("/v2/tasks").json()["tasks"]])
print(client.get("/v2/tasks", headers={"accept": "text/html"}).status_code)
for admin in ("/admin/", "/django-admin/"):
    print(client.get(f"{admin}django_image_tasks/task/").status_code)
"""
GENERATORS = {
    "django-admin": ("startproject", "settings.py", [200, 404]),
    "wagtail": ("start", "settings/base.py", [404, 200]),
}


def main(programs: Path) -> None:
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def run(directory: Path, *command: str) -> str:
        done = subprocess.run(
            command, cwd=directory, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    for generator, (start, settings, admins) in GENERATORS.items():
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            run(directory, generator, start, "yourproject", ".")
            for file, block in ((settings, "settings.py"), ("urls.py", "urls.py")):
                with (directory / "yourproject" / file).open("a") as opened:
                    opened.write("\n" + code_for(block, PASTE))
            run(directory, "python", "manage.py", "check")
            run(directory, "python", "manage.py", "migrate", "-v", "0")
            printed = run(directory, "python", "manage.py", "shell", "-v", "0", "-c", USE)
            package, *answers = printed.splitlines()
            assert Path(package).is_relative_to(programs.parent), package
            assert answers == ["201", "['pending']", "200", *map(str, admins)], printed
            print(f"{generator} {start}: the README works")


main(Path(sys.argv[1]))
