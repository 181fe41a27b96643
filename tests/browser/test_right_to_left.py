"""The pages for readers who begin at the right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from django_image_tasks.models import Task
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
    end = admin_page.locator(".task-scale span").last
    newest = admin_page.locator(".task-chart g").last
    assert abs(middle(end) - middle(newest)) < 30


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


def test_json_is_written_from_left_to_right(admin_page: Any) -> None:
    admin_page.goto("/v2/tasks")
    admin_page.get_by_text("Raw JSON").click()
    assert style(admin_page.locator("[data-raw]"), "direction") == "ltr"
    admin_page.goto(f"{LIST}add/")
    admin_page.get_by_role("button", name="Write JSON").click()
    assert style(admin_page.locator("textarea"), "direction") == "ltr"


def test_what_nobody_has_translated_keeps_its_order(admin_page: Any) -> None:
    admin_page.goto("/v2/tasks/7")
    heading = letters(admin_page.locator("h1"))
    assert heading == sorted(heading)
    task = live_through()["running"]
    Task.objects.filter(pk=task.pk).update(lease_expires_at=now() - timedelta(minutes=1))
    admin_page.goto(LIST)
    total = letters(admin_page.locator(".task-pages > span"))
    assert total == sorted(total)
    # What is said in one word here, and with a number before it above the list.
    remark = admin_page.locator("#result_list .task-remark").first
    assert style(remark, "unicodeBidi") == "plaintext"


def test_the_next_page_lies_where_its_arrow_points(admin_page: Any, many: None) -> None:
    admin_page.goto("/v2/tasks")
    expect(admin_page.get_by_role("link", name="Next page")).to_contain_text("←")


def test_no_bar_lies_under_its_words(admin_page: Any, make_task: Callable[..., Task]) -> None:
    task = make_task()
    task.start("worker")
    task.record_progress(123_456_789, None)
    admin_page.goto(LIST)
    cell = admin_page.locator("td.field-badge")
    words = cell.locator(".task-percent")
    expect(words).to_contain_text("MiB")
    assert max(letters(words)) + 5 < cell.locator("progress").bounding_box()["x"]
