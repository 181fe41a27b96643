"""Nothing lies over anything else or is cut off, at no width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_image_tasks.models import Task
from tests.browser.busy_day import live_through
from tests.browser.places import lie_over_each_other, lies_within
from tests.browser.sheets import pieces_of_text
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"


@pytest.fixture
def show(admin_page: Any) -> Callable[[str, int], Any]:
    """Opens a page in a window of this width."""

    def page_at(path: str, width: int) -> Any:
        admin_page.set_viewport_size({"width": width, "height": 900})
        admin_page.goto(path)
        return admin_page

    return page_at


@pytest.mark.parametrize("width", [820, 1280, 1440])
def test_add_lies_on_no_panel(show: Callable[..., Any], width: int) -> None:
    page = show(LIST, width)
    expect(page.locator(".task-tile").first).to_be_visible()
    add = page.get_by_role("link", name="Add task")
    assert not lie_over_each_other(add, page.locator(".task-panels"))


@pytest.mark.parametrize("width", [820, 1280])
def test_the_actions_lie_on_no_filter(show: Callable[..., Any], many: None, width: int) -> None:
    page = show(LIST, width)
    for part in page.locator("#changelist .actions").first.locator("select, button").all():
        if part.is_visible():
            assert not lie_over_each_other(part, page.locator("#changelist-filter"))


def test_a_phone_s_closed_overview_is_open_elsewhere(show: Callable[..., Any]) -> None:
    expect(show(LIST, 390).locator(".task-dashboard")).not_to_have_attribute("open", "")
    overview = show(LIST, 1280).locator(".task-dashboard")
    expect(overview).to_have_attribute("open", "")
    overview.locator("> summary").click()
    expect(show(LIST, 1280).locator(".task-dashboard")).not_to_have_attribute("open", "")


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_a_question_leaves_names_their_room(
    show: Callable[..., Any], make_task: Callable[..., Task], width: int
) -> None:
    task = make_task(name="debian-12-genericcloud")
    page = show(f"{LIST}{task.pk}/cancel/", width)
    name, pk = page.locator(".task-sample .task-name"), page.locator(".task-sample code")
    assert name.bounding_box()["height"] < 30
    assert lies_within(pk, page.locator(".task-sample"))


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_every_group_of_the_day_can_be_retried(show: Callable[..., Any], width: int) -> None:
    live_through()
    page = show(f"{LIST}day/", width)
    card = page.locator(".task-card").first
    assert all(lies_within(each, card) for each in card.get_by_role("button").all())
    times = page.locator(".task-card").last
    assert all(lies_within(each, times) for each in times.locator("td").all())


def test_a_list_on_a_phone_is_short_and_its_names_too(show: Callable[..., Any], many: None) -> None:
    Task.objects.filter(name="failed 00").update(name="x" * 255)
    rows = show("/v2/tasks", 390).locator("tbody tr")
    expect(rows).to_have_count(25)
    assert all(row.bounding_box()["height"] < 120 for row in rows.all())


@pytest.mark.parametrize("width", [820, 1280])
def test_a_list_shows_when_tasks_were_created(
    show: Callable[..., Any], make_task: Callable[..., Task], width: int
) -> None:
    make_task(name="x" * 255, owner="y" * 255, expires_at=None).cancel("z")
    page = show("/v2/tasks", width)
    for time in page.locator("tbody time").all():
        assert not time.is_visible() or lies_within(time, page.locator(".tasks"))
    assert page.locator(".tasks").evaluate("card => card.scrollWidth <= card.clientWidth")


@pytest.mark.parametrize("width", [390, 820, 1000, 1280])
def test_a_list_shows_ids_whole(
    show: Callable[..., Any], make_task: Callable[..., Task], width: int
) -> None:
    for name in ("debian-12-genericcloud", "صورة دبيان (genericcloud)", "x" * 255):
        make_task(name=name)
    page = show("/v2/tasks", width)
    for row in page.locator("tbody th").all():
        assert lies_within(row.locator(".quiet"), row)
        assert not lie_over_each_other(row.locator(".quiet"), row.locator("a"))


def test_a_time_stays_in_one_line(show: Callable[..., Any]) -> None:
    failed = live_through()["failed"]
    page = show(f"{LIST}{failed.pk}/change/", 1280)
    for width in range(1000, 1500, 20):
        page.set_viewport_size({"width": width, "height": 900})
        time = page.locator(".task-facts time")
        assert time.evaluate("time => time.getClientRects().length") == 1


def test_lines_of_a_message_stay_lines(
    show: Callable[..., Any], make_task: Callable[..., Task]
) -> None:
    task = make_task()
    task.start("worker")
    task.fail("one\n  two")
    for path in (f"/v2/tasks/{task.pk}", f"{LIST}{task.pk}/change/"):
        expect(show(path, 1280).get_by_text("one").first).to_contain_text("one\n  two")
        assert "one\n  two" in show(path, 1280).locator("main, #content").last.inner_text()


def test_each_bar_is_called_after_its_task(
    show: Callable[..., Any], make_task: Callable[..., Task]
) -> None:
    for name in ("one", "two"):
        make_task(name=name)
    page = show("/v2/tasks", 1280)
    expect(page.get_by_role("progressbar", name="Progress of one")).to_have_count(1)


@pytest.mark.parametrize("path", ["", "?status__exact=failure", "{}/change/"])
def test_the_first_printed_sheet_has_words(show: Callable[..., Any], path: str) -> None:
    tasks = live_through()
    page = show(LIST + path.format(tasks["failed"].pk), 1280)
    first, *others = pieces_of_text(page.pdf())
    # Django's frame alone, before a box that does not fit below it, has some 45.
    assert first > 80
    assert 0 not in others
