from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.admin import actions, bounded, export
from django_image_tasks.models import Task
from django_image_tasks.states import Status

from .conftest import Rights
from .pages import LIST, InlineCode, Make, url_of

ACTIONS = ("cancel_selected", "retry_selected", "export_as_csv", "export_as_json")


def act(client: Client, action: str, *tasks: Task, confirmed: bool = True, **more: str) -> Any:
    data: dict[str, Any] = {"action": action, "_selected_action": [str(task.pk) for task in tasks]}
    if confirmed:
        data["_confirmed"] = "yes"
    return client.post(LIST, data | more)


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def logged(task: Task) -> list[str]:
    entries = LogEntry.objects.filter(object_id=str(task.pk)).order_by("pk")
    return [entry.get_change_message() for entry in entries]


def status_of(task: Task) -> str:
    return Task.objects.get(pk=task.pk).status


@pytest.fixture
def chief(user_with: Rights) -> Client:
    return user_with("view_task", "change_task", "add_task")


@pytest.fixture
def waiting(make_task: Make) -> Task:
    return make_task(name="waiting")


@pytest.fixture
def running(make_task: Make) -> Task:
    task = make_task(name="running")
    task.start("worker")
    return task


@pytest.fixture
def failed(make_task: Make) -> Task:
    task = make_task(name="failed", input={"import_from": "https://example.org/image"})
    task.start("worker")
    task.fail("no")
    return task


# Cancelling


def test_it_is_asked_before_tasks_are_cancelled(
    chief: Client, waiting: Task, running: Task, failed: Task
) -> None:
    response = act(chief, "cancel_selected", waiting, running, failed, confirmed=False)
    page = response.content.decode()
    assert "Cancel 2 tasks?" in page
    assert "It can be done with 2 of the 3 that are selected. The others have finished." in page
    for task in (waiting, running, failed):
        assert f'name="_selected_action" value="{task.pk}"' in page
    assert status_of(waiting) == Status.PENDING
    assert not LogEntry.objects.exists()
    assert InlineCode(page).found == []


def test_nothing_is_offered_where_nothing_can_be_done(chief: Client, failed: Task) -> None:
    page = act(chief, "cancel_selected", failed, confirmed=False).content.decode()
    assert "Cancel 0 tasks?" in page
    assert "Yes, cancel" not in page


def test_selected_tasks_are_cancelled(
    chief: Client, waiting: Task, running: Task, failed: Task
) -> None:
    response = act(chief, "cancel_selected", waiting, running, failed)
    assert response["Location"] == LIST
    assert said(response) == [
        "1 task was cancelled.",
        "1 running task was asked to stop.",
        "1 task had finished already.",
    ]
    waiting.refresh_from_db()
    running.refresh_from_db()
    username = User.objects.get().username
    assert (waiting.status, waiting.message) == (Status.FAILURE, f"Cancelled by {username}")
    assert (running.status, running.cancel_requested_by) == (Status.PROCESSING, username)
    assert (logged(waiting), logged(running)) == (["Cancelled."], ["Asked to stop."])
    assert logged(failed) == []


def test_a_task_that_left_the_filter_meanwhile_is_told_of(chief: Client, waiting: Task) -> None:
    waiting.cancel("somebody else")
    data = {"action": "cancel_selected", "_selected_action": [str(waiting.pk)]}
    response = chief.post(f"{LIST}?status__exact=pending", data | {"_confirmed": "yes"})
    assert said(response) == ["1 task had finished already."]


def test_other_tasks_are_left_alone(chief: Client, waiting: Task, running: Task) -> None:
    act(chief, "cancel_selected", running)
    assert status_of(waiting) == Status.PENDING


def test_the_log_is_one_statement_however_many_tasks(
    chief: Client,
    make_task: Make,
    django_assert_max_num_queries: Any,
) -> None:
    tasks = [make_task() for _ in range(10)]
    with django_assert_max_num_queries(200) as queries:
        act(chief, "cancel_selected", *tasks)
    log = [query for query in queries if 'INSERT INTO "django_admin_log"' in query["sql"]]
    log += [query for query in queries if "INSERT INTO `django_admin_log`" in query["sql"]]
    assert len(log) == 1
    assert LogEntry.objects.count() == 10


# Retrying


def test_failed_tasks_are_retried(chief: Client, waiting: Task, failed: Task) -> None:
    response = act(chief, "retry_selected", waiting, failed)
    assert said(response) == [
        "1 task runs again.",
        "1 task was left alone: it has not failed, was retried, or no longer runs.",
    ]
    retry = Task.objects.get(retry_of=failed.pk)
    assert (retry.status, retry.input, retry.owner) == (Status.PENDING, failed.input, failed.owner)
    assert retry.user_id == str(User.objects.get().pk)
    assert retry.request_id.startswith("req-")
    assert (logged(failed), logged(retry)) == (["Retried."], ["Retry of a failed task."])
    assert status_of(failed) == Status.FAILURE


def test_no_task_of_the_list_is_retried_twice_by_accident(
    chief: Client, failed: Task, make_task: Make
) -> None:
    make_task(retry_of=failed.pk)
    page = act(chief, "retry_selected", failed, confirmed=False).content.decode()
    assert "Retry 0 tasks?" in page
    act(chief, "retry_selected", failed)
    assert Task.objects.filter(retry_of=failed.pk).count() == 1


def test_many_take_few_queries(
    chief: Client, make_task: Make, django_assert_max_num_queries: Any
) -> None:
    failed = [make_task(status="failure") for _ in range(100)]
    with django_assert_max_num_queries(60):
        act(chief, "retry_selected", *failed)
    retries = Task.objects.filter(status="pending")
    assert retries.count() == 100
    with django_assert_max_num_queries(40):
        act(chief, "cancel_selected", *retries)
    assert not Task.objects.filter(status="pending").exists()


def test_retried_tasks_run(
    chief: Client, failed: Task, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.IMAGE_TASKS = {
        "HANDLERS": {"import": "tests.wire.handlers.Echo"},
        "ENGINE": "django_image_tasks.engines.immediate",
    }
    with django_capture_on_commit_callbacks(execute=True):
        act(chief, "retry_selected", failed)
    assert Task.objects.get(retry_of=failed.pk).status == Status.SUCCESS


def test_a_type_that_no_longer_runs_is_left_alone(
    chief: Client, failed: Task, settings: Any
) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    page = act(chief, "retry_selected", failed, confirmed=False).content.decode()
    assert "Retry 0 tasks?" in page
    act(chief, "retry_selected", failed)
    assert Task.objects.count() == 1


# Exporting


def exported(client: Client, action: str, *tasks: Task) -> str:
    response = act(client, action, *tasks)
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Disposition"].startswith('attachment; filename="tasks-')
    return b"".join(response.streaming_content).decode()


def test_tasks_are_exported_as_csv(chief: Client, failed: Task, make_task: Make) -> None:
    odd = make_task(name='=HYPERLINK("x")', owner="+1", created_at=now() + timedelta(seconds=5))
    rows = list(csv.DictReader(io.StringIO(exported(chief, "export_as_csv", failed, odd))))
    assert [row["id"] for row in rows] == [str(odd.pk), str(failed.pk)]
    assert (rows[0]["name"], rows[0]["owner"]) == ('\'=HYPERLINK("x")', "'+1")
    assert (rows[0]["result"], rows[0]["finished_at"]) == ("", "")
    assert json.loads(rows[1]["input"]) == failed.input
    assert rows[1]["message"] == "no"
    assert rows[1]["created_at"] == f"{failed.created_at:%Y-%m-%dT%H:%M:%SZ}"
    assert logged(odd) == logged(failed) == ["Exported as CSV."]


@pytest.mark.parametrize(
    "text",
    ["-1", "@a", "\t=1", "\r=1", " =1", "\n+1", "\uff1d1", "\ufeff=1", "\u200b+1", "\xa0@a"]
    + ["\u2060\u3164=1", "\u202e=1", "\U000e0001=1", " \t\ufeff\r\n-1"],
)
def test_no_cell_is_a_formula(chief: Client, make_task: Make, text: str) -> None:
    rows = csv.DictReader(
        io.StringIO(exported(chief, "export_as_csv", make_task(name=text)), newline="")
    )
    assert next(rows)["name"] == "'" + text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("x;=1", "x;'=1"),
        ("x\t@a", "x\t'@a"),
        ("x|\ufeff =1", "x|'\ufeff =1"),
        ("x\r\n=1;+2", "x\r\n'=1;'+2"),
        ("a=b, -1; c-d", "a=b, -1; c-d"),
    ],
)
def test_nor_is_what_another_character_separates(
    chief: Client, make_task: Make, text: str, cell: str
) -> None:
    rows = csv.DictReader(
        io.StringIO(exported(chief, "export_as_csv", make_task(name=text)), newline="")
    )
    assert next(rows)["name"] == cell


@pytest.mark.parametrize("filling", [";", "\t", " ", "\ufeff", "; \t"])
def test_a_cell_costs_what_it_is_long(filling: str) -> None:
    """With the square of it these would take hours."""
    text = "x" + filling * 500_000
    assert export._cell(text) == text


def test_tasks_are_exported_as_the_api_shows_them(
    chief: Client, failed: Task, waiting: Task
) -> None:
    waiting.name = "käse"
    waiting.created_at = now() + timedelta(seconds=5)
    waiting.save()
    tasks = json.loads(exported(chief, "export_as_json", failed, waiting))
    assert [task["id"] for task in tasks] == [str(waiting.pk), str(failed.pk)]
    assert tasks[0]["name"] == "käse"
    assert tasks[1]["self"] == f"/v2/tasks/{failed.pk}"
    assert tasks[1]["input"] == failed.input
    assert logged(failed) == ["Exported as JSON."]


def test_an_export_of_nothing_is_json_too(chief: Client, waiting: Task) -> None:
    pk = waiting.pk
    Task.objects.all().delete()
    assert json.loads(exported(chief, "export_as_json", Task(pk=pk))) == []


def test_an_export_asks_first(chief: Client, waiting: Task) -> None:
    page = act(chief, "export_as_csv", waiting, confirmed=False).content.decode()
    assert "Export 1 task?" in page
    assert "Download CSV" in page


def test_an_export_reads_so_many_tasks_at_a_time(
    chief: Client,
    make_task: Make,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    tasks = [make_task() for _ in range(5)]
    response = act(chief, "export_as_csv", *tasks)
    with django_assert_num_queries(3):
        list(response.streaming_content)


@pytest.mark.parametrize("order", ["1", "-3"], ids=["by status", "by creation"])
def test_an_export_is_of_what_was_chosen_while_tasks_come_move_and_go(
    chief: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    tasks = [make_task(name=f"{number}") for number in range(6)]
    data = {"action": "export_as_csv", "_selected_action": [str(tasks[0].pk)], "_confirmed": "yes"}
    response = chief.post(f"{LIST}?o={order}", data | {"select_across": "1"})
    parts = iter(response.streaming_content)
    lines = [next(parts) for _ in range(3)]  # the titles, and the first two tasks
    shown = [line["name"] for line in read_csv(lines)]
    others = [task for task in tasks if task.name not in shown]
    Task.objects.get(name=shown[0]).start("worker")
    others[0].cancel("mia")
    others[1].delete()
    make_task(name="new", status=Status.PROCESSING, created_at=now() - timedelta(days=1))

    names = [line["name"] for line in read_csv([*lines, *parts])]

    assert sorted(names) == sorted(task.name for task in tasks if task is not others[1])


def read_csv(parts: list[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode())))


def test_an_export_keeps_no_more_than_it_reads_at_a_time(
    chief: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 20)
    tasks = [make_task(message="x" * 8_000, input={"a": "x" * 20_000}) for _ in range(400)]
    response = act(chief, "export_as_json", *tasks)
    tracemalloc.start()
    try:
        size = sum(map(len, response.streaming_content))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 400 * 28_000
    assert peak < size / 5


# All pages


def test_an_action_on_all_pages_is_capped(
    chief: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch, failed: Task
) -> None:
    monkeypatch.setattr(actions.Cancel, "at_once", 3)
    tasks = [make_task() for _ in range(5)]
    asked = act(chief, "cancel_selected", tasks[0], select_across="1", confirmed=False)
    page = asked.content.decode()
    assert "Cancel 5 tasks?" in page
    assert "At most 3 at once" in page
    assert 'name="select_across" value="1"' in page
    response = act(chief, "cancel_selected", tasks[0], select_across="1")
    assert said(response) == ["3 tasks were cancelled."]
    assert Task.objects.filter(status=Status.PENDING).count() == 2


def test_the_question_counts_no_further_than_the_cap(
    chief: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded.capped_count, "__defaults__", (2,))
    monkeypatch.setattr(bounded.shown, "__defaults__", (2,))
    tasks = [make_task() for _ in range(4)]
    page = act(chief, "export_as_csv", *tasks, confirmed=False).content.decode()
    assert "Export 2+ tasks?" in page


def test_an_action_on_all_pages_keeps_to_the_filter(
    chief: Client, waiting: Task, make_task: Make
) -> None:
    other = make_task(owner="2")
    data = {"action": "cancel_selected", "_selected_action": [str(waiting.pk)]}
    chief.post(f"{LIST}?q=2", data | {"select_across": "1", "_confirmed": "yes"})
    assert (status_of(waiting), status_of(other)) == (Status.PENDING, Status.FAILURE)


# One task


def test_one_task_is_cancelled_after_a_question(chief: Client, waiting: Task) -> None:
    url = url_of(waiting, "cancel")
    assert "Cancel 1 task?" in chief.get(url).content.decode()
    assert status_of(waiting) == Status.PENDING
    assert chief.post(url)["Location"] == url_of(waiting)
    assert status_of(waiting) == Status.FAILURE
    assert logged(waiting) == ["Cancelled."]


def test_a_task_that_has_finished_meanwhile_is_shown(chief: Client, failed: Task) -> None:
    response = chief.post(url_of(failed, "cancel"))
    assert response["Location"] == url_of(failed)
    assert said(response) == ["1 task had finished already."]


def test_the_retry_of_one_task_is_shown(chief: Client, failed: Task) -> None:
    response = chief.post(url_of(failed, "retry"))
    assert response["Location"] == url_of(Task.objects.get(retry_of=failed.pk))


@pytest.mark.parametrize("page", ["cancel", "retry"])
def test_an_unknown_task_is_not_found(chief: Client, waiting: Task, page: str) -> None:
    url = url_of(waiting, page)
    Task.objects.all().delete()
    assert chief.get(url).status_code == 404
    assert chief.post(url).status_code == 404


# Permissions


@pytest.mark.parametrize(
    ("rights", "allowed"),
    [
        (["view_task"], {"export_as_csv", "export_as_json"}),
        (["view_task", "add_task"], {"export_as_csv", "export_as_json"}),
        (["change_task"], {"cancel_selected", "export_as_csv", "export_as_json"}),
        (["change_task", "add_task"], set(ACTIONS)),
    ],
)
def test_actions_are_for_who_may(
    user_with: Rights, waiting: Task, rights: list[str], allowed: set[str]
) -> None:
    client = user_with(*rights)
    choices = client.get(LIST).context["action_form"].fields["action"].choices
    assert {name for name, _ in choices if name} == allowed
    for action in ACTIONS:
        asked = act(client, action, waiting, confirmed=False)
        assert (asked.status_code == 200) == (action in allowed)


@pytest.mark.parametrize("rights", [["view_task"], ["change_task"], ["add_task"]])
def test_a_button_is_no_way_around_a_permission(
    user_with: Rights, failed: Task, rights: list[str]
) -> None:
    client = user_with(*rights)
    assert client.post(url_of(failed, "retry")).status_code == 403
    if rights != ["change_task"]:
        assert client.post(url_of(failed, "cancel")).status_code == 403
    assert Task.objects.count() == 1


def test_an_action_is_not_taken_from_another_site(chief: Client, waiting: Task) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = chief.cookies
    assert strict.post(url_of(waiting, "cancel")).status_code == 403
    assert act(strict, "cancel_selected", waiting).status_code == 403
    assert status_of(waiting) == Status.PENDING


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("forged", ["", "x", "\0", "1" * 40])
def test_what_is_no_id_chooses_no_task(chief: Client, action: str, forged: str) -> None:
    data = {"action": action, "_selected_action": [forged]}

    assert chief.post(LIST, data).status_code == 200
    assert "Items must be selected" in said(chief.post(LIST, data | {"index": "0"}))[0]
