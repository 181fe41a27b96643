from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client

from tests.requirements import needs, needs_program

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium(**environ: str) -> Iterator[Any]:
    """Debian's own, driven by Playwright."""
    path = needs_program("chromium")
    with needs("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=FLAGS, env=os.environ | environ
        )
        yield browser
        browser.close()


def session_of(user: Any, url: str) -> dict[str, str]:
    """The cookie of somebody who has logged in."""
    client = Client()
    client.force_login(user)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}
