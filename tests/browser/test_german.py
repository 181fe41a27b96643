"""A reader of German clicks through the pages, and is never asked the opposite of what happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from django_image_tasks.models import Task
from tests.browser.places import letters, lies_within
from tests.browser.sites import Site
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"
PAGES = [LIST, LIST + "{}/change/", LIST + "{}/retry/", LIST + "day/", "/v2/tasks", "/v2/tasks/{}"]
FRAMES = "html, .results, .task-card, .task-sample, .card"
TOO_WIDE = f"""() => [...document.querySelectorAll("{FRAMES}")]
  .filter(each => each.scrollWidth > each.clientWidth).map(each => each.outerHTML.slice(0, 400))"""
"""Finds what would have to be scrolled to the side."""
UNITS_LEFT_ALONE = """element => {
  const range = document.createRange();
  const height = (text, at) => {
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    return range.getBoundingClientRect().y;
  };
  const lengths = [...Array(12).keys()];
  return lengths.map(length => `läuft seit ${"1".repeat(length)} min 41 s`).filter(words => {
    element.textContent = words;
    const text = element.firstChild;
    return height(text, words.length - 3) !== height(text, words.length - 1);
  });
}"""
"""Finds durations whose last unit is the only word on its line."""


@pytest.fixture
def site(german_site: Site) -> Site:
    return german_site


@pytest.fixture
def waiting(make_task: Callable[..., Task]) -> Task:
    return make_task(name="debian", created_at=now() - timedelta(minutes=18, seconds=5))


def test_the_question_says_what_its_answers_do(admin_page: Any, waiting: Task) -> None:
    page = admin_page
    page.goto(LIST)
    expect(page.get_by_role("row", name="debian")).to_contain_text(re.compile("vor\\s18\\sMinuten"))
    expect(page.locator("span[data-as-of]")).to_have_text(re.compile(r"^Stand \d\d:\d\d$"))
    page.get_by_role("link", name="debian").first.click()
    page.get_by_role("link", name="Abbrechen").click()
    expect(page.locator("h1").last).to_have_text("1 Aufgabe abbrechen?")
    page.get_by_role("link", name="Nein, nichts ändern").click()
    expect(page.locator("#task-head")).to_contain_text("wartend")
    page.get_by_role("link", name="Abbrechen").click()
    page.get_by_role("button", name="Ja, abbrechen").click()
    expect(page.locator("#task-head")).to_contain_text("gescheitert")
    page.get_by_role("link", name="Wiederholen").click()
    page.get_by_role("button", name="Ja, wiederholen").click()
    expect(page.locator("#task-head")).to_contain_text("wartend")


@pytest.mark.parametrize("width", [390, 820, 1280, 1440])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_window(
    admin_page: Any, make_task: Callable[..., Task], path: str, width: int
) -> None:
    task = make_task(name="x" * 255, owner="y" * 255, message="z" * 500)
    task.start("v" * 64)
    task.fail("w" * 255)
    Task.objects.update(started_at=now() - timedelta(minutes=21))
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(path.format(task.pk))
    assert admin_page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("width", [390, 820, 1280, 1440])
def test_words_stay_on_their_tiles(admin_page: Any, waiting: Task, width: int) -> None:
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(LIST)
    admin_page.locator(".task-dashboard").evaluate("overview => { overview.open = true }")
    expect(admin_page.locator(".task-tile")).to_have_count(4)
    for tile in admin_page.locator(".task-tile").all():
        assert lies_within(tile.locator(".task-status"), tile)


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_the_arrow_lies_beside_the_head_of_its_column(
    admin_page: Any, waiting: Task, width: int
) -> None:
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(LIST)
    head = admin_page.locator("thead .column-created")
    arrow = head.locator(".sortoptions .toggle").bounding_box()
    # The last letter begins so far before the arrow that it also ends there.
    assert max(letters(head.locator(".text a"))) + 10 < arrow["x"]
    owner = admin_page.locator("thead .column-whose").bounding_box()
    assert arrow["x"] + arrow["width"] < owner["x"]


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_a_unit_stays_with_its_number(admin_page: Any, waiting: Task, width: int) -> None:
    waiting.start("worker")
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(LIST)
    assert admin_page.locator(".field-created .task-quiet").evaluate(UNITS_LEFT_ALONE) == []
