from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_image_tasks.models import Task
from tests.browser.chromium import chromium, session_of
from tests.browser.many import create_many
from tests.browser.sites import Site, serving
from tests.browser.sources import SlowSource, slow_source
from tests.browser.troubles import Troubles
from tests.requirements import needs


@pytest.fixture(scope="package", autouse=True)
def beside_an_event_loop() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, in which Django's guard would see us."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        needs("playwright.sync_api").expect.set_options(timeout=10_000)
        yield browser


@pytest.fixture(autouse=True)
def database(browser: Any, transactional_db: None) -> None:
    """Rows that other processes see."""


@pytest.fixture(scope="package")
def make_site(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Any]:
    return lambda settings: serving(settings, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="package")
def stock_site(make_site: Callable[[str], Any]) -> Iterator[Site]:
    with make_site("tests.browser.settings") as site:
        yield site


@pytest.fixture(scope="package")
def german_site(make_site: Callable[[str], Any]) -> Iterator[Site]:
    with make_site("tests.browser.settings_german") as site:
        yield site


@pytest.fixture(scope="package")
def arabic_site(make_site: Callable[[str], Any]) -> Iterator[Site]:
    with make_site("tests.browser.settings_arabic") as site:
        yield site


@pytest.fixture(scope="package")
def unfold_site(make_site: Callable[[str], Any]) -> Iterator[Site]:
    needs("unfold")
    with make_site("tests.browser.settings_unfold") as site:
        yield site


@pytest.fixture
def site(stock_site: Site) -> Site:
    """The site that ``page`` is on."""
    return stock_site


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    """A fresh browser, for nobody yet. Whatever it complains of fails the test."""
    context = browser.new_context(
        base_url=site.url, viewport={"width": 1280, "height": 900}, locale="en-GB"
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles = Troubles(page)
    yield page
    context.close()
    assert not troubles.seen, "\n".join(troubles.seen)


@pytest.fixture
def admin(database: None) -> User:
    return User.objects.create_superuser("admin")


@pytest.fixture
def admin_page(page: Any, admin: User, site: Site) -> Any:
    """The same, for a superuser."""
    page.context.add_cookies([session_of(admin, site.url)])
    return page


@pytest.fixture
def worker(site: Site, database: None) -> Iterator[None]:
    """Runs what is on the queue, as in earnest."""
    with site.worker():
        yield


@pytest.fixture
def source() -> Iterator[SlowSource]:
    with slow_source() as source:
        yield source


@pytest.fixture
def task_defaults(admin: User) -> dict[str, Any]:
    return {"type": "import", "owner": str(admin.pk)}


@pytest.fixture
def many(admin: User) -> None:
    create_many(str(admin.pk))


@pytest.fixture
def failed(make_task: Callable[..., Task], source: SlowSource) -> Task:
    """A task that the source let down, and will not again."""
    task = make_task(name="broken", input={"import_from": source.url()})
    task.start("worker")
    task.fail("Source answered 503 Service Unavailable")
    return task
