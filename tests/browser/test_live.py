"""What a page that is open says, whatever happens meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils.timezone import now

from django_image_tasks.models import Task
from tests.browser.tickets import let_it_run
from tests.requirements import needs

expect = needs("playwright.sync_api").expect

LIST = "/admin/django_image_tasks/task/"
PAGES = {
    "admin's list": LIST,
    "admin's task": LIST + "{}/change/",
    "list": "/v2/tasks",
    "task": "/v2/tasks/{}",
}
AS_OF = re.compile(r"As of \d\d:\d\d")
SOON = 120_000
"""Milliseconds until a page has surely asked again."""


@pytest.fixture
def running(make_task: Callable[..., Task]) -> Task:
    task = make_task(name="debian")
    task.start("worker")
    task.record_progress(42, 100)
    return task


@pytest.fixture(params=PAGES)
def opened(request: Any, admin_page: Any, running: Task) -> Any:
    """Each page in turn, with a task on it that runs."""
    admin_page.goto(PAGES[request.param].format(running.pk))
    expect(admin_page.locator("[data-as-of]").last).to_have_text(AS_OF)
    expect(admin_page.locator("[data-task]").first).to_contain_text("42 %")
    return admin_page


def trouble(page: Any) -> Any:
    return page.locator("[data-trouble]")


def test_what_moves_is_shown(opened: Any, running: Task) -> None:
    running.record_progress(77, 100)
    expect(opened.locator("[data-task]").first).to_contain_text("77 %", timeout=SOON)
    running.fail("Source answered 404 Not Found")
    expect(opened.locator(".task-status.failure").first).to_be_visible(timeout=SOON)
    expect(opened.locator("[data-news]").last).to_contain_text("failure")
    expect(trouble(opened)).to_have_text("")


def test_who_is_signed_out_is_told_and_led_back(opened: Any, running: Task) -> None:
    Session.objects.all().delete()
    expect(trouble(opened)).to_contain_text("You are signed out", timeout=SOON)
    expect(opened.locator("[data-as-of]").last).to_have_text(AS_OF)
    expect(opened.locator("body")).to_have_class(re.compile("task-stale"))
    opened.locator("[data-login]").click()
    expect(opened).to_have_url(re.compile("/login/"))


def test_a_task_that_was_deleted_is_gone(opened: Any, running: Task) -> None:
    Task.objects.all().delete()
    told = re.compile("This is gone|gone|The list has changed")
    status = opened.locator(".task-live:has([data-trouble]), [id^=badge-]")
    expect(status.filter(has_text=told).first).to_be_visible(timeout=SOON)
    moving = opened.locator("[data-task]:not(.task-left):not(.task-stale *)")
    expect(moving).to_have_count(0, timeout=SOON)


def test_a_network_that_is_away_is_told_until_it_is_back(opened: Any, running: Task) -> None:
    opened.context.set_offline(True)
    expect(trouble(opened)).to_contain_text("The server does not answer", timeout=SOON)
    running.record_progress(77, 100)
    opened.context.set_offline(False)
    expect(opened.locator("[data-task]").first).to_contain_text("77 %", timeout=SOON)
    expect(trouble(opened)).to_have_text("")


@pytest.mark.parametrize("path", [LIST, "/v2/tasks"])
def test_new_tasks_are_announced_and_nothing_jumps(
    admin_page: Any, make_task: Callable[..., Task], running: Task, path: str
) -> None:
    admin_page.goto(path)
    make_task(name="newer", created_at=now() + timedelta(seconds=1))
    changed = admin_page.locator("#task-changed")
    expect(changed).to_be_visible(timeout=SOON)
    expect(admin_page.get_by_role("link", name="newer")).to_have_count(0)
    changed.click()
    expect(admin_page.get_by_role("link", name="newer")).to_be_visible()


def test_a_worker_that_is_killed_is_told_of_before_its_lease_runs_out(
    admin_page: Any, make_task: Callable[..., Task], site: Any, source: Any
) -> None:
    task = make_task(name="cirros", input={"import_from": source.url()})
    with site.worker():
        let_it_run(task)
        admin_page.goto(f"{LIST}{task.pk}/change/")
        expect(admin_page.locator("#task-head")).to_contain_text("processing", timeout=SOON)
    head = admin_page.locator("#task-head")
    expect(head).to_contain_text("Worker silent for 1", timeout=SOON)
    admin_page.goto(LIST)
    banner = admin_page.get_by_text(re.compile("Worker .* has been silent for|lost"))
    expect(banner.first).to_be_visible(timeout=SOON)


def test_a_banner_says_that_nothing_runs(admin_page: Any, make_task: Callable[..., Task]) -> None:
    task = make_task(name="waits")
    admin_page.goto(LIST)
    task.wait_for_turn()
    Task.objects.update(updated_at=now() - timedelta(minutes=4))
    told = re.compile("Nothing was started for 4 min .* while 1 task is due")
    expect(admin_page.get_by_role("alert")).to_contain_text(told, timeout=SOON)
