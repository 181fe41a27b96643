from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.edges.commands import image_tasks

pytestmark = pytest.mark.django_db

SUCCESS, FAILURE, PENDING, PROCESSING = (
    f"0000000{number}-0000-4000-8000-000000000000" for number in (1, 2, 3, 4)
)
REFUSED = (
    f"Task {PENDING}: it is pending there.\n"
    f"Task {PROCESSING}: it is processing there.\n"
    "Not every task was copied."
)


@pytest.fixture
def glance(tmp_path: Path) -> Path:
    """What ``db_sync`` made: four live tasks, an expired one and a deleted one."""
    path = tmp_path / "glance.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(Path(__file__).with_name("glance.sql").read_text())
    return path


def run(path: Path, *options: Any) -> Any:
    return image_tasks("import-glance", f"sqlite:///{path}", *options)


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(sql)


def test_finished_tasks_are_copied_and_others_named(glance: Path) -> None:
    assert run(glance) == ("2 copied, 0 were here already, 2 refused.\n", REFUSED, 4)
    assert {str(pk) for pk in Task.objects.values_list("pk", flat=True)} == {SUCCESS, FAILURE}


def test_the_api_shows_what_glance_showed(glance: Path, admin_user: Any) -> None:
    run(glance)
    client = APIClient()
    client.force_authenticate(admin_user)
    shown = client.get(f"/v2/tasks/{SUCCESS}").json()
    expected = {
        "type": "import",
        "status": "success",
        "owner": "p1",
        "user_id": "u1",
        "request_id": "req-1",
        "image_id": "11111111-1111-4111-8111-111111111111",
        "input": {
            "import_from": "http://images.example.org/1.img",
            "import_from_format": "raw",
            "image_properties": {"name": "Dübel"},
        },
        "result": {"image_id": "11111111-1111-4111-8111-111111111111"},
        "message": "",
        "created_at": "2026-11-25T06:52:47Z",
        "updated_at": "2026-11-25T07:52:47Z",
        "expires_at": "2099-11-27T01:52:47Z",
    }
    assert {key: shown[key] for key in expected} == expected
    assert (
        client.get(f"/v2/tasks/{FAILURE}").json()["message"] == "Task failed due to Internal Error"
    )


def test_copied_tasks_are_never_run(glance: Path) -> None:
    run(glance)
    assert not Task.objects.exclude(turn=None, lease_expires_at=None, announce_at=None)
    image_tasks("sweep")
    assert sorted(Task.objects.values_list("status", flat=True)) == ["failure", "success"]


def test_it_may_be_run_again(glance: Path) -> None:
    run(glance)
    change(glance, "UPDATE tasks SET status = 'failure' WHERE status IN ('pending', 'processing')")
    change(glance, f"UPDATE tasks SET owner = 'p2' WHERE id = '{SUCCESS}'")
    assert run(glance) == ("2 copied, 2 were here already, 0 refused.\n", "", 0)
    assert Task.objects.get(pk=SUCCESS).owner == "p1"


def test_a_dry_run_writes_nothing(glance: Path) -> None:
    told = "2 to be copied, 0 are here already, 2 refused.\n"
    assert run(glance, "--dry-run") == (told, REFUSED, 4)
    assert not Task.objects.exists()


def test_a_script_reads_what_became_of_them(glance: Path) -> None:
    reasons = {PENDING: "it is pending there", PROCESSING: "it is processing there"}
    [answer] = run(glance, "--json").answers
    assert answer == {"copied": 2, "already_here": 0, "refused": reasons}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE task_info SET input = '{'", "its input or its result is not JSON"),
        ("UPDATE task_info SET result = '\"\\u0000\"'", "a string has a NUL in it"),
        ("UPDATE tasks SET created_at = 'soon'", "it has no time that can be read"),
        ("UPDATE tasks SET id = 'x', expires_at = NULL", "its id is no UUID"),
    ],
)
def test_a_damaged_row_is_refused_alone(glance: Path, sql: str, reason: str) -> None:
    key = "task_id" if "task_info" in sql else "id"
    change(glance, f"{sql} WHERE {key} = '{FAILURE}'")
    ran = run(glance)
    assert (ran.out, ran.code) == ("1 copied, 0 were here already, 3 refused.\n", 4)
    assert f": {reason}.\n" in ran.err


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("glance", "The DSN must be as in glance-api.conf"),
        ("mysql://host:port/glance", "The DSN must be as in glance-api.conf"),
        ("sqlite:////nowhere/glance.db", "Glance's tasks cannot be read: unable to open"),
    ],
)
def test_what_leads_to_no_glance_is_said(dsn: str, said: str) -> None:
    ran = image_tasks("import-glance", dsn)
    assert ran.err.startswith(said)
    assert ran.code == 1


def test_a_database_without_tasks_is_no_glance(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    ran = run(tmp_path / "empty.db")
    assert (ran.err, ran.code) == ("Glance's tasks cannot be read: no such table: tasks", 1)
