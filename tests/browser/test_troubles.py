"""The tests of pages would notice if something were wrong with one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.sites import Site
from tests.browser.troubles import Troubles

ADD = """([tag, name, value]) => {
  const element = document.createElement(tag);
  element[name] = value;
  document.body.append(element);
}"""
WRONG = {
    "inline script": ("script", "textContent", "1", "script-src 'self'"),
    "inline style": ("style", "textContent", "p {}", "style-src 'self'"),
    "other host": ("img", "src", "http://192.0.2.1/", "img-src 'self' data:"),
    "missing file": ("img", "src", "/nothing.png", "404 (Not Found)"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_seen(browser: Any, site: Site, wrong: str) -> None:
    tag, attribute, value, told = WRONG[wrong]
    with browser.new_context(base_url=site.url) as context:
        page = context.new_page()
        troubles = Troubles(page)
        page.goto("/admin/login/")
        assert troubles.seen == []
        with page.expect_event("console"):
            page.evaluate(ADD, [tag, attribute, value])
        assert told in troubles.seen[0]
