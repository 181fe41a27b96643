"""What the how-to pages promise, seen in a project that has their code."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from django_image_tasks.models import Task
from example_project.seed import seed
from tests.docs.readme import blocks
from tests.docs.test_pages import pasted
from tests.requirements import needs, needs_program

ADA = """
from django.contrib.auth.models import Group, Permission, User
from django.core.files.storage import default_storage
from django.test import Client

from django_image_tasks.models import Task

ada = User.objects.create_superuser("ada")
client = Client(headers={"host": "localhost"})
client.force_login(ada)
"""
IMMEDIATE = "\nIMAGE_TASKS['ENGINE'] = 'django_image_tasks.engines.immediate'\n"
PROMISES = {
    "admin-site": ("print(client.get('/operators/django_image_tasks/task/').status_code)", "200"),
    "create": (
        """
for name in ("", "cirros"):
    task = {"url": "https://images.example.org/a.img", "name": name}
    answer = client.post("/import-image", task)
    print(answer.status_code, answer.content.decode())
print(answer["Location"] == f"/v2/tasks/{Task.objects.get().pk}")
""",
        "400 Give your task a name.\n302 \nTrue",
    ),
    "databases": (
        """
from django_tasks_db.models import DBTaskResult
from django_image_tasks.services import create_task
create_task("import", {"import_from": "https://images.example.org/a.img"}, owner="1")
print(DBTaskResult.objects.using("tasks").count(), Task.objects.using("tasks").count())
print( len(client.get("/v2/tasks").json()["tasks"]))
print(Permission.objects.filter(codename="view_all_tasks").exists())
""",
        "1 1\n1\nTrue",
    ),
    "function-to-task": (
        """
client.post("/users/report")
task = Task.objects.get()
[artifact] = task.result["artifacts"]
print(task.status, task.progress, artifact["size"] == default_storage.size(artifact["location"]))
print(default_storage.open(artifact["location"]).read().decode().splitlines()[1][:6])
""",
        "success 100 True\n1,ada,",
    ),
    "owners": (
        """
from django_image_tasks.tenancy import get_owner
from django.test import RequestFactory
request = RequestFactory().get("/")
request.user = ada
print(get_owner(request))
ada.groups.add(Group.objects.create(name="images"))
from django.test import override_settings
with override_settings(IMAGE_TASKS={"OWNER": "yourproject.owners.team_of_user"}):
    print(get_owner(request))
""",
        "1\nteam-1",
    ),
}


@pytest.mark.parametrize("name", PROMISES)
def test_the_page_does_what_it_says(name: str, tmp_path: Path) -> None:
    needs("django_tasks_db")
    code, printed = PROMISES[name]
    project = pasted(f"docs/how-to/{name}.md", tmp_path)
    if name == "function-to-task":
        project.append("yourproject/settings.py", IMMEDIATE)
    project.manage("migrate", "-v", "0")
    if name == "databases":
        project.manage("migrate", "-v", "0", "--database", "tasks")
    assert project.manage("shell", "-v", "0", "-c", ADA + code).strip() == printed


def test_the_tests_of_the_testing_page_pass(tmp_path: Path) -> None:
    project = pasted("docs/how-to/test.md", tmp_path)
    project.run("python", "-W", "error", "manage.py", "test", "yourproject")


def test_tasks_are_taken_along_by_a_dump(tmp_path: Path) -> None:
    needs("django_tasks_db")
    project = pasted("docs/how-to/back-up.md", tmp_path)
    project.manage("migrate", "-v", "0")
    source = '{"import_from": "https://images.example.org/a.img"}'
    project.manage("image_tasks", "create", "import", "--owner", "1", "--input", source)
    [dump, load] = blocks("sh", page="docs/how-to/back-up.md")[1].splitlines()
    project.run("bash", "-ec", dump)
    project.manage("flush", "--no-input", "-v", "0")
    assert "Installed 1 object(s)" in project.run("bash", "-ec", load)
    assert "pending" in project.manage("image_tasks", "list", "--owner", "1")


@pytest.fixture
def ended(live_server: Any) -> str:
    """The URL of a task that has ended."""
    seed()
    task = Task.objects.filter(status="success").earliest("created_at")
    return f"{live_server.url}/v2/tasks/{task.pk}"


def test_a_task_is_followed_in_a_shell(ended: str) -> None:
    needs_program("jq")
    [code] = [code for code in blocks("sh", page="docs/how-to/follow.md") if "curl" in code]
    local = code.replace("http://127.0.0.1:8000/v2/tasks/$TASK", ended)
    command = [needs_program("bash"), "-euc", f"TOKEN=admin-token\n{local}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("success\n\n", "")


def test_a_task_is_followed_in_python(ended: str) -> None:
    needs("requests")
    [code] = blocks("python", page="docs/how-to/follow.md")
    scope: dict[str, Any] = {}
    exec(code, scope)
    assert scope["follow"](ended, "admin-token")["status"] == "success"


def test_a_task_is_followed_in_javascript(ended: str) -> None:
    [code] = blocks("javascript", page="docs/how-to/follow.md")
    script = (
        code
        + f"""
const asked = globalThis.fetch;
globalThis.fetch = (url, options) =>
  asked(url, {{ ...options, headers: {{ ...options.headers, "X-Auth-Token": "admin-token" }} }});
console.log((await follow("{ended}")).status);
"""
    )
    command = [needs_program("node"), "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("success\n", "")
