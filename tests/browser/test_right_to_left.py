"""The pages for readers who begin at the right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.busy_day import live_through
from tests.browser.places import letters, middle, style
from tests.browser.sites import Site
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"


@pytest.fixture
def site(arabic_site: Site) -> Site:
    return arabic_site


def test_a_task_s_page(admin_page: Any) -> None:
    failed = live_through()["failed"]
    admin_page.goto(f"{LIST}{failed.pk}/change/")
    for card in admin_page.locator(".task-card:has(> .task-copy)").all():
        copy = card.locator("> .task-copy").bounding_box()
        assert copy["x"] + copy["width"] < min(letters(card.locator("> h2")))
    assert style(admin_page.locator(".task-timeline li").first, "right", "::before") == "0px"
    # Brackets are not mirrored.
    assert style(admin_page.locator(".task-json-tree").first, "direction") == "ltr"
    assert style(admin_page.locator("#task-message"), "unicodeBidi") == "plaintext"


def test_the_chart_ends_where_it_says_now(admin_page: Any) -> None:
    live_through()
    admin_page.goto(LIST)
    now = admin_page.locator(".task-scale span").last
    newest = admin_page.locator(".task-chart g").last
    assert abs(middle(now) - middle(newest)) < 30


def test_durations_keep_their_order(admin_page: Any) -> None:
    live_through()
    admin_page.goto(f"{LIST}day/")
    cell = admin_page.locator(".task-times td").last
    expect(cell).to_contain_text(" min ")
    assert letters(cell) == sorted(letters(cell))


def test_a_long_name_is_cut_at_its_end(admin_page: Any) -> None:
    task = live_through()["failed"]
    task.name = "begin" + "x" * 250
    task.save()
    admin_page.goto("/v2/tasks?status=failure")
    link = admin_page.locator(f"#task-{task.pk} th a")
    assert style(link, "direction") == "ltr"
    assert style(link, "textOverflow") == "ellipsis"
