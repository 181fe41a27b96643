"""One project that follows the README: from pasting to tasks that a worker ran."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from urllib.parse import urlsplit

from tests.docs.readme import blocks, code_for
from tests.packaging.projects.asking import Server
from tests.packaging.projects.databases import Database
from tests.packaging.projects.generated import Generator
from tests.packaging.projects.situations import Situation

SETTINGS = "yourproject/settings.py"
PASTE = "Into your project"
FILE = re.compile(r"# (yourproject/\w+\.py)\n")
SUPERUSER = {
    "DJANGO_SUPERUSER_USERNAME": "ada",
    "DJANGO_SUPERUSER_EMAIL": "ada@example.org",
    "DJANGO_SUPERUSER_PASSWORD": "plugged in",
}
LOG_IN = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
[ada] = get_user_model().objects.filter(email="ada@example.org")
client = Client()
client.force_login(ada)
assert Permission.objects.filter(codename="view_all_tasks").exists()
print(ada.pk, client.cookies["sessionid"].value)
"""
ERROR = re.compile(r"^Traceback|Internal Server Error|Warning:", re.MULTILINE)


class Project:
    """A generated project in a directory, with what the README adds to it.

    ``programs`` are those of the environment that has the wheel.
    """

    def __init__(self, directory: Path, programs: Path, generator: Generator) -> None:
        self.directory = directory
        self.generator = generator
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environment = os.environ | SUPERUSER | {"PATH": path, "PYTHONUNBUFFERED": "1"}

    def prepare(self, database: Database, image: str) -> None:
        """Follow the README up to a user, a session and a token."""
        self.directory.mkdir()
        self.shell(self.generator.commands)
        self.directory /= self.generator.directory
        for file, code in self.generator.more.items():
            self.append(file, code)
        for code in (
            database.settings,
            self.less_what_is_there(code_for("settings.py", PASTE)),
            self.less_what_is_there('INSTALLED_APPS += ["rest_framework.authtoken"]\n'),
            f'IMAGE_TASKS = {{"IMPORT_TRUSTED_HOSTS": ["{urlsplit(image).netloc}"]}}\n',
        ):
            self.append(SETTINGS, code)
        if database.has_router:
            self.paste_page("databases")
            self.append(SETTINGS, database.settings_of_router())
        database.make()
        if "people/models.py" in self.generator.more:
            self.shell("python manage.py makemigrations people")
        self.shell("python manage.py check --database default")
        self.shell(database.migrate())
        self.shell("python manage.py createsuperuser --noinput")
        printed = self.shell(f"python manage.py shell -v 0 -c '{LOG_IN}'")
        self.owner, self.session = printed.split()[-2:]
        token = self.shell(f"python manage.py drf_create_token {self.generator.name_of_user}")
        self.token = token.split()[2]

    def copied_to(self, directory: Path) -> Project:
        project = copy(self)
        project.directory = directory
        shutil.copytree(self.directory, directory)
        return project

    def try_in(self, situation: Situation, image: str) -> None:
        """Create, run, list and show; raise at the first thing that is not so."""
        self.append(SETTINGS, situation.settings)
        self.append("yourproject/urls.py", situation.urls or code_for("urls.py", PASTE))
        if situation.page:
            self.paste_page(situation.page)
        work, create = self.readme_commands(image)
        with self.processes(work, situation) as server:
            assert "success" in self.shell(create)
            server.log_in(self.token, self.session)
            ids = server.create_and_follow(image)
            server.look_at_pages(ids, situation.admin or self.generator.admin)
        listed = self.shell("python manage.py image_tasks list --status success")
        assert all(pk in listed for pk in ids), listed

    def paste_page(self, name: str) -> None:
        manage = (self.directory / "manage.py").read_text()
        [settings] = re.findall(r"""["'](yourproject\.settings[\w.]*)["']""", manage)
        for code in blocks("python", page=f"docs/how-to/{name}.md"):
            if file := FILE.match(code):
                code = code.replace('"yourproject.settings"', f'"{settings}"')
                self.append(file[1], code.replace("IMAGE_TASKS = ", "IMAGE_TASKS |= "))

    def less_what_is_there(self, code: str) -> str:
        """The code without the apps that the project has already."""
        generated = (self.directory / self.generator.settings).read_text()
        there = set(re.findall(r"""["']([\w.]+)["'],""", generated))
        apps = re.compile(r"^INSTALLED_APPS \+= \[(.*)\]", re.MULTILINE)
        return apps.sub(
            lambda found: (
                f"INSTALLED_APPS += {[app for app in eval(f'[{found[1]}]') if app not in there]}"
            ),
            code,
        )

    def append(self, file: str, code: str) -> None:
        path = self.directory / (self.generator.settings if file == SETTINGS else file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as opened:
            opened.write(f"\n{code}")

    def readme_commands(self, image: str) -> tuple[str, str]:
        migrate, work = blocks("sh", PASTE)[1].splitlines()
        assert migrate == "python manage.py migrate"
        [create] = [block for block in blocks("sh", PASTE) if " create " in block]
        create = re.sub('https://[^"]+', image, create)
        return work, create.replace("--owner 1", f"--owner {self.owner}")

    @contextmanager
    def processes(self, work: str, situation: Situation) -> Iterator[Server]:
        """The server and the worker, while they run; neither may log an error."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with ExitStack() as stack:
            stack.enter_context(self.process("worker.log", work))
            stack.enter_context(self.process("server.log", situation.server.format(port=port)))
            server = Server(port, situation.root, situation.script_name)
            server.wait_until_it_listens()
            yield server

    @contextmanager
    def process(self, log: str, command: str) -> Iterator[None]:
        path = self.directory / log
        with path.open("w") as opened:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.directory,
                env=self.environment,
                stdout=opened,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
        except Exception as error:
            error.add_note(path.read_text())
            raise
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        assert not ERROR.search(path.read_text()), path.read_text()

    def shell(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout
