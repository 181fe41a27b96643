"""What an operator does in the admin, with a worker that really runs."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from django_image_tasks.models import Task
from tests.browser.sites import LONG
from tests.browser.sources import SlowSource
from tests.browser.tickets import let_it_run
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"
URI = re.compile("^Import from required")


@pytest.fixture
def choose(admin_page: Any) -> Callable[..., None]:
    """Chooses rows of the list and an action, and confirms it."""

    def act(action: str, *names: str) -> None:
        admin_page.goto(LIST)
        for name in names:
            admin_page.get_by_role("row", name=name).get_by_role("checkbox").check()
        admin_page.get_by_label("Action").first.select_option(label=action)
        admin_page.get_by_role("button", name=re.compile("^(Go|Run)$")).first.click()
        expect(admin_page.get_by_role("heading", level=1)).to_contain_text(f" {len(names)} task")
        admin_page.get_by_role("button", name=re.compile("^(Yes|Download)")).click()

    return act


def test_an_import_is_added_watched_and_done(
    admin_page: Any, worker: None, source: SlowSource
) -> None:
    page = admin_page
    page.goto(LIST)
    page.get_by_role("link", name="Add task").click()
    page.get_by_label(URI).fill(source.url())
    page.get_by_label("Name", exact=True).last.fill("cirros")
    page.get_by_role("button", name="Create task").click()
    head = page.locator("#task-head")
    expect(head).to_contain_text("processing", timeout=LONG)
    expect(head).to_contain_text(re.compile("[5-9][0-9] %"), timeout=LONG)
    page.evaluate("window.isTheSamePage = true")
    source.let_go()
    expect(head).to_contain_text("success", timeout=LONG)
    expect(page.locator("#task-outcome")).to_contain_text("qcow2")
    expect(page.get_by_role("status")).to_contain_text("success")
    assert page.evaluate("window.isTheSamePage")


def test_the_list_follows_an_import_to_its_end(
    admin_page: Any, make_task: Callable[..., Task], worker: None, source: SlowSource
) -> None:
    let_it_run(make_task(name="cirros", input={"import_from": source.url()}))
    admin_page.goto(LIST)
    row = admin_page.get_by_role("row", name="cirros")
    expect(row).to_contain_text(re.compile("[5-9][0-9] %"), timeout=LONG)
    source.let_go()
    expect(row).to_contain_text("success", timeout=LONG)
    expect(row).to_contain_text("100 %")


def test_a_running_import_is_cancelled(
    admin_page: Any, make_task: Callable[..., Task], worker: None, source: SlowSource
) -> None:
    task = make_task(name="cirros", input={"import_from": source.url()})
    let_it_run(task)
    admin_page.goto(f"{LIST}{task.pk}/change/")
    head = admin_page.locator("#task-head")
    expect(head).to_contain_text("processing", timeout=LONG)
    admin_page.get_by_role("link", name="Cancel…").click()
    admin_page.get_by_role("button", name="Yes, cancel").click()
    expect(head).to_contain_text("failure", timeout=LONG)
    expect(admin_page.locator("#task-outcome")).to_contain_text("Cancelled by admin")
    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", "Cancelled by admin")
    assert LogEntry.objects.get().object_id == str(task.pk)


def test_a_failed_import_is_retried(
    failed: Task, admin_page: Any, worker: None, source: SlowSource
) -> None:
    source.let_go()
    admin_page.goto(f"{LIST}{failed.pk}/change/")
    admin_page.get_by_role("link", name="Retry…").click()
    admin_page.get_by_role("button", name="Yes, retry").click()
    # A new task, that says of which it is the second try.
    expect(admin_page).not_to_have_url(re.compile(str(failed.pk)))
    expect(admin_page.locator("#task-head")).to_contain_text("success", timeout=LONG)
    admin_page.get_by_role("region", name="Related tasks").get_by_role("link").click()
    expect(admin_page).to_have_url(re.compile(str(failed.pk)))


def test_what_waits_is_cancelled_from_the_list(
    choose: Callable[..., None], admin_page: Any, make_task: Callable[..., Task]
) -> None:
    for name in ("one", "two", "three"):
        make_task(name=name)
    choose("Cancel selected tasks", "one", "two")
    expect(admin_page.locator(".messagelist")).to_contain_text("2 tasks")
    expect(admin_page.get_by_role("row", name="two")).to_contain_text("failure")
    assert list(Task.objects.filter(status="pending").values_list("name", flat=True)) == ["three"]


def test_what_failed_is_retried_from_the_list(
    choose: Callable[..., None], admin_page: Any, failed: Task
) -> None:
    choose("Retry selected tasks", "broken")
    assert Task.objects.get(retry_of=failed.pk).status == "pending"
    expect(admin_page.get_by_role("row", name="broken")).to_have_count(2)


@pytest.mark.parametrize(("form", "read"), [("CSV", csv.DictReader), ("JSON", json.load)])
def test_tasks_are_exported(
    choose: Callable[..., None],
    admin_page: Any,
    failed: Task,
    form: str,
    read: Callable[..., Any],
    tmp_path: Path,
) -> None:
    with admin_page.expect_download() as download:
        choose(f"Export selected tasks as {form}", "broken")
    path = tmp_path / "exported"
    download.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = read(file)
    assert (row["id"], row["message"]) == (str(failed.pk), failed.message)


def test_a_wrong_input_is_refused_in_the_words_of_the_api(admin_page: Any) -> None:
    admin_page.goto(f"{LIST}add/")
    admin_page.get_by_label(URI).fill("file:///etc/passwd")
    admin_page.get_by_role("button", name="Create task").click()
    expect(admin_page.get_by_role("alert")).to_have_text(
        "File based imports are not allowed. Please use a non-local source of image data."
    )
    assert not Task.objects.exists()


def test_the_form_becomes_json_and_a_form_again(admin_page: Any) -> None:
    page = admin_page
    page.goto(f"{LIST}add/")
    page.get_by_label(URI).fill("http://example.org/image")
    page.get_by_role("button", name="Write JSON").click()
    box = page.get_by_role("textbox", name="Input")
    assert json.loads(box.input_value()) == {"import_from": "http://example.org/image"}
    box.fill('{"import_from": "http://example.org/other"}')
    page.get_by_role("button", name="Fill in a form").click()
    expect(page.get_by_label(URI)).to_have_value("http://example.org/other")


def test_by_keyboard_alone(admin_page: Any, failed: Task) -> None:
    """From the list to the failed task, to the question, to its retry."""
    page = admin_page
    page.goto(LIST)
    for text, leads_to in (
        ("broken", "/change/"),
        ("Retry…", "/retry/"),
        ("Yes, retry", "/change/"),
    ):
        tab_to(page, text)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"{leads_to}$"))
    expect(page.locator("#task-head")).to_contain_text("pending")
    assert Task.objects.filter(retry_of=failed.pk).exists()


def tab_to(page: Any, text: str) -> None:
    page.wait_for_load_state()
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText?.trim().split('\\n')[0]") == text:
            return
    raise AssertionError(f"The Tab key does not lead to {text}")
