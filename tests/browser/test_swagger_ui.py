"""Swagger UI, under the strict content policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django_image_tasks.models import Task

PREFIX = "#operations-Image_tasks-"


def try_out(page: Any, name: str) -> Any:
    """Open an operation and have it made ready; returns its part of the page."""
    page.goto("/api/schema/swagger-ui/")
    operation = page.locator(f"{PREFIX}{name}")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    return operation


def execute(operation: Any) -> dict[str, Any]:
    """Send the request; returns the answer's body as the page shows it."""
    operation.get_by_role("button", name="Execute").click()
    shown = operation.locator(".live-responses-table .highlight-code code").first.inner_text()
    answer: dict[str, Any] = json.loads(shown)
    return answer


def test_list_the_tasks_in_an_order(admin_page: Any, make_task: Callable[..., Task]) -> None:
    for name in ("a", "b"):
        make_task(name=name)
    operation = try_out(admin_page, "list_tasks")
    operation.locator("tr[data-param-name=sort_key] select").select_option("name")
    operation.locator("tr[data-param-name=sort_dir] select").select_option("asc")

    answer = execute(operation)

    assert [task["name"] for task in answer["tasks"]] == ["a", "b"]
    assert answer["first"] == "/v2/tasks?limit=25&sort_dir=asc&sort_key=name"


def test_create_a_task_from_the_example(admin_page: Any) -> None:
    answer = execute(try_out(admin_page, "create_task"))

    assert (answer["type"], answer["status"], answer["name"]) == ("import", "pending", "cirros")
