"""What a person does with the API in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_image_tasks.models import Task
from tests.browser.many import failures
from tests.browser.sites import LONG, Site
from tests.browser.sources import SlowSource
from tests.browser.tickets import let_it_run
from tests.requirements import needs

expect = needs("playwright.sync_api").expect


def names(page: Any) -> Any:
    return page.locator("tbody th a")


def test_filter_sort_and_page(admin_page: Any, many: None) -> None:
    page = admin_page
    page.goto("/v2/tasks")
    expect(names(page)).to_have_text(["well", *failures(*range(24))])
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Failure").check()
    page.get_by_label("Sort key").select_option("name")
    page.get_by_label("Sort direction").select_option("asc")
    page.get_by_role("button", name="Show").click()
    expect(names(page)).to_have_text(failures(*range(25)))
    page.get_by_role("link", name="Next").click()
    expect(names(page)).to_have_text(failures(*range(25, 50)))
    expect(page.get_by_label("Failure")).to_be_checked()
    expect(page.get_by_label("Sort key")).to_have_value("name")
    page.get_by_role("link", name="First").click()
    expect(names(page)).to_have_text(failures(*range(25)))


def test_the_head_of_a_column_sorts(admin_page: Any, many: None) -> None:
    admin_page.goto("/v2/tasks?status=failure")
    admin_page.get_by_role("columnheader", name="Created").get_by_role("link").click()
    expect(names(admin_page)).to_have_text(failures(*range(59, 34, -1)))


def test_a_program_gets_the_same_list_as_json(admin_page: Any, many: None) -> None:
    answer = admin_page.request.get("/v2/tasks?limit=2", headers={"Accept": "*/*"})
    assert answer.headers["content-type"] == "application/json"
    assert [task["name"] for task in answer.json()["tasks"]] == ["well", "failed 00"]


def test_a_task_is_created_with_a_form_and_watched(
    admin_page: Any, worker: None, source: SlowSource
) -> None:
    page = admin_page
    page.goto("/v2/tasks")
    page.get_by_role("link", name="Create a task").click()
    page.get_by_label("Name of the task").fill("cirros")
    page.get_by_label(re.compile("^Import from required")).fill(source.url())
    page.get_by_role("button", name="Create", exact=True).locator("visible=true").click()
    expect(page).to_have_url(re.compile("/v2/tasks/[0-9a-f-]{36}$"))
    state = page.locator(".title")
    expect(state).to_contain_text("cirros")
    expect(state).to_contain_text(re.compile("[5-9][0-9] %"), timeout=LONG)
    source.let_go()
    expect(state).to_contain_text("success", timeout=LONG)


def test_a_refusal_is_shown_where_it_was_typed(admin_page: Any) -> None:
    page = admin_page
    page.goto("/v2/tasks#create")
    page.get_by_label(re.compile("^Import from required")).fill("file:///etc/passwd")
    page.get_by_role("button", name="Create", exact=True).locator("visible=true").click()
    expect(page.get_by_role("alert")).to_have_text(
        "File based imports are not allowed. Please use a non-local source of image data."
    )
    assert not Task.objects.exists()


def test_raw_json_is_sent_as_it_is(admin_page: Any) -> None:
    page = admin_page
    page.goto("/v2/tasks")
    page.get_by_text("Raw JSON").click()
    body = {"type": "import", "input": {"import_from": "http://example.org/image"}}
    page.get_by_label("Body of the request").fill(json.dumps(body))
    page.get_by_role("button", name="Create", exact=True).locator("visible=true").click()
    expect(page).to_have_url(re.compile("/v2/tasks/[0-9a-f-]{36}$"))
    assert Task.objects.get().input == body["input"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v2/tasks?limit=many", "limit param must be an integer"),
        ("/v2/tasks?status=done", "Invalid status value: done"),
        ("/v2/tasks/7", "Could not find task 7"),
    ],
)
def test_an_error_is_a_page_that_says_what_is_wrong(
    admin_page: Any, path: str, message: str
) -> None:
    admin_page.goto(path)
    expect(admin_page.get_by_role("alert").first).to_have_text(message)


def test_a_running_import_is_cancelled(
    admin_page: Any, make_task: Callable[..., Task], worker: None, source: SlowSource
) -> None:
    task = make_task(name="cirros", input={"import_from": source.url()})
    let_it_run(task)
    admin_page.goto(f"/v2/tasks/{task.pk}")
    state = admin_page.locator(".task")
    expect(state).to_contain_text("processing", timeout=LONG)
    admin_page.get_by_role("button", name="Cancel the task").click()
    expect(state).to_contain_text("Cancelled by admin", timeout=LONG)


def test_a_failed_import_is_retried(
    admin_page: Any, failed: Task, worker: None, source: SlowSource
) -> None:
    source.let_go()
    admin_page.goto(f"/v2/tasks/{failed.pk}")
    admin_page.get_by_role("button", name="Retry as a new task").click()
    expect(admin_page).not_to_have_url(re.compile(str(failed.pk)))
    expect(admin_page.locator(".title")).to_contain_text("success", timeout=LONG)


def test_an_anonymous_visitor_is_led_to_the_form(page: Any, site: Site) -> None:
    User.objects.create_user("dana", password="secret")
    page.goto("/v2/tasks")
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    page.get_by_label("Username").fill("dana")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
