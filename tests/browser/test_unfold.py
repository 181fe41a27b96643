"""The same admin where the project has django-unfold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from django_image_tasks.models import Task
from tests.browser.axe import grave_faults
from tests.browser.busy_day import live_through
from tests.browser.sites import LONG, Site
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"


@pytest.fixture
def site(unfold_site: Site) -> Site:
    return unfold_site


def test_the_list_moves(admin_page: Any, make_task: Callable[..., Task]) -> None:
    task = make_task(name="running")
    task.start("worker")
    admin_page.goto(LIST)
    expect(admin_page.get_by_role("region", name="Now")).to_contain_text("processing")
    row = admin_page.get_by_role("row", name="running")
    task.record_progress(42, 100)
    expect(row).to_contain_text("42 %", timeout=2 * LONG)
    task.succeed({})
    expect(row).to_contain_text("success", timeout=2 * LONG)


def test_a_task_is_added_and_cancelled(admin_page: Any) -> None:
    page = admin_page
    page.goto(f"{LIST}add/")
    page.get_by_label(re.compile("^Import from required")).fill("http://example.org/image")
    page.get_by_role("button", name="Create task").click()
    expect(page.locator("#task-head")).to_contain_text("pending")
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_role("button", name="Yes, cancel").click()
    expect(page.locator("#task-outcome")).to_contain_text("Cancelled by admin")


def test_an_action_of_the_list(admin_page: Any, make_task: Callable[..., Task]) -> None:
    page = admin_page
    for name in ("one", "two"):
        task = make_task(name=name)
        task.start("worker")
        task.fail("Source answered 503 Service Unavailable")
    page.goto(LIST)
    page.get_by_role("row", name="one").get_by_role("checkbox").check()
    page.locator("select[name=action]").first.select_option(label="Retry selected tasks")
    page.locator("button[name=index]").first.click()
    expect(page.get_by_text("Retry 1 task?")).to_be_visible()
    page.get_by_role("button", name="Yes, retry").click()
    expect(page.get_by_role("row", name="one")).to_have_count(2)


def test_nothing_grave(admin_page: Any) -> None:
    ids = {name: str(task.pk) for name, task in live_through().items()}
    faults = {}
    for path in ("", "{failed}/change/", "{running}/change/", "add/", "{failed}/retry/"):
        admin_page.goto(f"{LIST}{path}".format_map(ids))
        faults[path] = grave_faults(admin_page)
    assert not any(faults.values()), faults
