from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from django_image_tasks.models import Task
from tests.browser.busy_day import WORKERS, live_through
from tests.browser.chromium import chromium, session_of
from tests.browser.screenshots.terminal import drawing, screen
from tests.browser.sites import serving

FONTS = str(Path(__file__).parent / "fonts.conf")
WATCH = ("manage.py", "image_tasks", "watch", "--interval", "0.5")
ADMIN = "/admin/django_image_tasks/task"


@dataclass(frozen=True)
class Picture:
    name: str
    path: str
    """May hold the name of one of the day's tasks, for its id."""
    height: int = 860
    theme: str = "light"
    is_unfold: bool = False
    prepare: Callable[[Any], None] = lambda page: None


def await_overview(page: Any) -> None:
    page.locator(".task-tile").first.wait_for()


def open_the_list(page: Any) -> None:
    page.get_by_role("button", name="GET /v2/tasks List tasks").click()
    page.get_by_role("button", name="Try it out").wait_for()
    page.evaluate("document.activeElement.blur()")


def fill_in(page: Any) -> None:
    uri = page.locator("[data-path=import_from]")
    uri.fill("https://images.example.org/debian-13-genericcloud.qcow2")
    page.locator("[data-path=import_from_format]").fill("qcow2")
    page.locator("[data-path='image_properties.name']").fill("debian-13")
    uri.focus()


PICTURES = [
    Picture("admin-list", f"{ADMIN}/", height=1000, prepare=await_overview),
    Picture("admin-list-dark", f"{ADMIN}/", height=1000, theme="dark", prepare=await_overview),
    Picture("admin-day", f"{ADMIN}/day/", height=760),
    Picture("admin-failure", f"{ADMIN}/{{failed}}/change/"),
    Picture("admin-running", f"{ADMIN}/{{running}}/change/", height=680),
    Picture("admin-add", f"{ADMIN}/add/", prepare=fill_in),
    Picture("browsable-list", "/v2/tasks?status=failure&sort_key=created_at", height=900),
    Picture("browsable-task", "/v2/tasks/{running}", height=700),
    Picture("swagger-ui", "/api/schema/swagger-ui/", prepare=open_the_list),
    Picture("admin-unfold", f"{ADMIN}/", is_unfold=True, prepare=await_overview),
]


def fill(directory: Path, scratch: Path) -> None:
    admin, tasks = User.objects.create_superuser("admin"), live_through()
    # Before Playwright has an event loop running, which Django's guard would see.
    terminal = drawing("python manage.py image_tasks watch", screen(WATCH, moving(tasks)))
    ids = {name: str(task.pk) for name, task in tasks.items()}
    directory.mkdir(exist_ok=True)
    with (
        serving("tests.browser.settings", scratch) as stock,
        serving("tests.browser.settings_unfold", scratch) as unfold,
    ):
        cookie = session_of(admin, stock.url)  # for any port
        with chromium(FONTCONFIG_FILE=FONTS) as browser:
            for picture in PICTURES:
                url = (unfold if picture.is_unfold else stock).url
                with opened(browser, picture, url, cookie) as page:
                    page.goto(picture.path.format_map(ids))
                    picture.prepare(page)
                    page.screenshot(path=directory / f"{picture.name}.png")
            page = browser.new_page(viewport={"width": 1280, "height": 600})
            page.set_content(terminal)
            page.locator("svg").screenshot(path=directory / "terminal-watch.png")


@contextmanager
def opened(browser: Any, picture: Picture, url: str, cookie: Any) -> Iterator[Any]:
    context = browser.new_context(
        base_url=url,
        color_scheme=picture.theme,
        locale="en-GB",
        viewport={"width": 1280, "height": picture.height},
    )
    context.add_cookies([cookie])
    yield context.new_page()
    context.close()


def moving(tasks: Mapping[str, Task]) -> Iterator[float]:
    """Lets the running tasks go on, and one of them end."""
    yield 1.5
    for rate in (13_000_000, 14_500_000, 14_000_000, 15_000_000, 14_200_000, 14_800_000):
        for name, factor in (("running", 1), ("also running", 3)):
            tasks[name].record_progress(
                tasks[name].bytes_done + rate * factor, tasks[name].bytes_total
            )
        yield 0.5
    tasks["waiting"].start(WORKERS[1])
    tasks["waiting"].fail("Source answered 404 Not Found")
    yield 1
