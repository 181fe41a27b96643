from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_image_tasks.models import Task
from tests.browser.many import failures
from tests.browser.sites import LONG
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"


def labels(page: Any) -> Any:
    return page.locator("#result_list .task-name")


def test_filter_and_page(admin_page: Any, many: None) -> None:
    admin_page.goto(LIST)
    expect(labels(admin_page)).to_have_text(["well", *failures(*range(49))])
    admin_page.locator("#changelist-filter").get_by_role("link", name="failure").click()
    expect(labels(admin_page)).to_have_text(failures(*range(50)))
    admin_page.get_by_role("link", name="Next").click()
    expect(labels(admin_page)).to_have_text(failures(*range(50, 60)))
    admin_page.get_by_role("link", name="Previous").click()
    expect(labels(admin_page)).to_have_text(failures(*range(50)))


def test_sort(admin_page: Any, many: None) -> None:
    admin_page.goto(LIST)
    admin_page.get_by_role("columnheader", name="Created").get_by_role("link").first.click()
    expect(labels(admin_page)).to_have_text(failures(*range(59, 9, -1)))


@pytest.mark.parametrize(
    ("sought", "found"),
    [("failed 3", failures(*range(30, 40))), ("Fault 37", failures(37)), ("nothing", [])],
)
def test_search(admin_page: Any, many: None, sought: str, found: list[str]) -> None:
    admin_page.goto(LIST)
    admin_page.locator("#searchbar").fill(sought)
    admin_page.keyboard.press("Enter")
    expect(labels(admin_page)).to_have_text(found)


def test_progress_moves_while_one_looks(admin_page: Any, make_task: Callable[..., Task]) -> None:
    task = make_task(name="running")
    task.start("worker")
    admin_page.goto(LIST)
    row = admin_page.get_by_role("row", name="running")
    expect(row).to_contain_text("processing")
    task.record_progress(42, 100)
    expect(row).to_contain_text("42 %", timeout=2 * LONG)
    task.fail("Source answered 404 Not Found")
    expect(row).to_contain_text("failure", timeout=2 * LONG)
    expect(row).to_contain_text("Source answered 404 Not Found")


def test_the_theme_that_is_chosen(admin_page: Any, make_task: Callable[..., Task]) -> None:
    make_task(name="waiting")
    admin_page.goto(LIST)
    badge = admin_page.locator("#result_list .task-status")
    light = color(badge)
    toggle = admin_page.get_by_role("button", name="Toggle theme")
    while admin_page.locator("html").get_attribute("data-theme") != "dark":
        toggle.click()
    assert color(badge) != light
    admin_page.emulate_media(color_scheme="dark")
    while admin_page.locator("html").get_attribute("data-theme") != "light":
        toggle.click()
    assert color(badge) == light


@pytest.mark.parametrize("width", [820, 1280])
def test_the_overview_is_as_wide_as_the_list(
    admin_page: Any, make_task: Callable[..., Task], width: int
) -> None:
    make_task(name="waiting")
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(LIST)
    overview, changelist = (
        admin_page.locator(part).bounding_box() for part in (".task-dashboard", "#changelist")
    )
    assert (overview["x"], overview["width"]) == (changelist["x"], changelist["width"])


def color(element: Any) -> str:
    return str(element.evaluate("element => getComputedStyle(element).color"))
