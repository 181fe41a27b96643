"""Swagger UI in the example project: local files, and no inline code."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.staticfiles import finders
from django.test import Client

PAGE = "/api/schema/swagger-ui/"


def test_the_page_loads_local_files_alone(client: Client) -> None:
    page = client.get(PAGE).content.decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert len(links) == 6
    assert all(link.startswith("/") for link in links)
    for link in links:
        if link.startswith("/static/"):
            assert finders.find(link.removeprefix("/static/")), link


def test_nothing_is_inline(client: Client) -> None:
    page = client.get(PAGE).content.decode()

    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)
    assert not re.search(r"\s(on\w+|style)=", page)


def test_the_script_asks_for_the_schema(client: Client) -> None:
    script = client.get(f"{PAGE}?script=")
    [url] = re.findall(r'url: "([^"]+)"', script.content.decode())

    assert script["Content-Type"] == "application/javascript"
    served: Any = client.get(
        url.encode().decode("unicode_escape"), headers={"accept": "application/json"}
    )
    assert served.json()["openapi"] == "3.1.1"
    assert "/v2/tasks" in served.json()["paths"]
