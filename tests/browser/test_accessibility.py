"""What axe-core has to say of our pages, in light and in dark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.browser.axe import grave_faults
from tests.browser.busy_day import live_through

ADMIN = "/admin/django_image_tasks/task"
PAGES = {
    "list": f"{ADMIN}/",
    "failure": f"{ADMIN}/{{failed}}/change/",
    "running": f"{ADMIN}/{{running}}/change/",
    "success": f"{ADMIN}/{{done}}/change/",
    "day": f"{ADMIN}/day/",
    "add": f"{ADMIN}/add/",
    "json": f"{ADMIN}/add/?raw=1",
    "cancel": f"{ADMIN}/{{running}}/cancel/",
    "browsable-list": "/v2/tasks?status=failure#create",
    "browsable-task": "/v2/tasks/{running}",
    "browsable-failure": "/v2/tasks/{failed}",
    "browsable-error": "/v2/tasks?limit=many",
}
DJANGOS = [".breadcrumbs"]
"""What Django 5.2 itself has of faults: links that only their colour tells from text."""


@pytest.fixture
def ids(admin: User) -> Mapping[str, str]:
    return {name: str(task.pk) for name, task in live_through().items()}


@pytest.mark.parametrize(("theme", "rules"), [("light", []), ("dark", ["color-contrast"])])
def test_nothing_grave(
    admin_page: Any, ids: Mapping[str, str], theme: str, rules: list[str]
) -> None:
    admin_page.emulate_media(color_scheme=theme)
    faults = {}
    for name, path in PAGES.items():
        admin_page.goto(path.format_map(ids))
        faults[name] = grave_faults(admin_page, exclude=DJANGOS, rules=rules)
    assert not any(faults.values()), faults
