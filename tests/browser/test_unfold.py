"""The same admin where the project has django-unfold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from django_image_tasks.models import Task
from tests.browser.axe import grave_faults
from tests.browser.busy_day import live_through
from tests.browser.places import style
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


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_the_arrows_lie_beside_the_next_column(
    admin_page: Any, make_task: Callable[..., Task], width: int
) -> None:
    make_task()
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(LIST)
    arrows = admin_page.locator("thead .column-created .sortoptions").bounding_box()
    owner = admin_page.locator("thead .column-whose .text").bounding_box()
    if width < 1280 and not (arrows and owner):
        return  # with Django 5.2 there are cards in the place of rows, which have no heads
    assert arrows["x"] + arrows["width"] < owner["x"]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_cell_is_cut_off(admin_page: Any, make_task: Callable[..., Task], width: int) -> None:
    make_task(name="x" * 255, message="z" * 500).start("worker")
    task = make_task(name="retried")
    task.start("worker")
    task.record_progress(123_456_789, None)
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(LIST)
    cells = admin_page.locator("#result_list :is(.field-label, .field-badge, .field-created)")
    expect(cells).to_have_count(6)
    cut = """cells => cells.filter(
      each => each.scrollHeight > each.clientHeight + 1 || each.scrollWidth > each.clientWidth
    ).map(each => each.outerHTML)"""
    assert cells.evaluate_all(cut) == []


def test_links_of_the_overview_look_like_links(
    admin_page: Any, make_task: Callable[..., Task]
) -> None:
    make_task(name="running").start("worker")
    admin_page.goto(LIST)
    link = admin_page.locator(".task-workers").get_by_role("link", name="running")
    expect(link).to_be_visible(timeout=2 * LONG)
    assert "underline" in style(link, "textDecoration")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_grave(admin_page: Any, theme: str) -> None:
    admin_page.emulate_media(color_scheme=theme)
    ids = {name: str(task.pk) for name, task in live_through().items()}
    faults = {}
    for path in ("", "{failed}/change/", "{running}/change/", "add/", "{failed}/retry/"):
        admin_page.goto(f"{LIST}{path}".format_map(ids))
        faults[path] = grave_faults(admin_page)
    assert not any(faults.values()), faults
