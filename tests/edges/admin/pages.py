"""The admin's list, as a test asks for it."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse

from django_image_tasks.models import Task

Make = Callable[..., Task]

LIST = "/admin/django_image_tasks/task/"
LIVE = LIST + "live/"
# Session, user, and for who is no superuser the two lookups of permissions.
LOGIN = 4
LIST_QUERIES = LOGIN + 1
"""What a page takes that is neither the whole list's first, nor begins behind a marker."""


def url_of(task: Task, page: str = "change") -> str:
    return reverse(f"admin:django_image_tasks_task_{page}", args=[task.pk])


def changelist(client: Client, query: str = "", **parameters: str) -> Any:
    response = client.get(LIST + query, parameters)
    assert response.status_code == 200
    return response.context["cl"]


def listed(client: Client, query: str = "", **parameters: str) -> list[str]:
    return [task.name for task in changelist(client, query, **parameters).result_list]


def html_of(client: Client, **parameters: str) -> str:
    response = client.get(LIST, parameters)
    assert response.status_code == 200
    return response.content.decode()


class InlineCode(HTMLParser):
    """Collects what a strict Content-Security-Policy forbids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]
