"""A reader of German clicks through the pages, and is never asked the opposite of what happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from django_image_tasks.models import Task
from tests.browser.sites import Site
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"
PAGES = [LIST, LIST + "{}/change/", LIST + "day/", "/v2/tasks", "/v2/tasks/{}"]


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
@pytest.mark.parametrize(
    "path", [LIST, LIST + "{}/change/", LIST + "day/", "/v2/tasks", "/v2/tasks/{}"]
)
def test_nothing_is_wider_than_the_window(
    admin_page: Any, make_task: Callable[..., Task], path: str, width: int
) -> None:
    task = make_task(name="x" * 255, owner="y" * 255, message="z" * 500)
    task.cancel("w" * 255)
    admin_page.set_viewport_size({"width": width, "height": 900})
    admin_page.goto(path.format(task.pk))
    for element in ("html", "#changelist .results"):
        too_wide = f"document.querySelector({element!r})"
        if admin_page.evaluate(f"{too_wide} !== null"):
            found = admin_page.evaluate(f"{too_wide}.scrollWidth - {too_wide}.clientWidth")
            assert found <= 0, element
