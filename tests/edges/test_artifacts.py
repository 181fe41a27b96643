"""Files that a task made are linked on its pages (docs/how-to/handlers.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from django_image_tasks.artifacts import MOST, artifacts
from django_image_tasks.models import Task

CSV = {"name": "<users>.csv", "size": 2048, "location": "reports/a b.csv"}
LINK = '<a href="/media/reports/a%20b.csv">&lt;users&gt;.csv</a> (2.0 KiB)'


@pytest.fixture
def task(make_task: Callable[..., Task], settings: Any) -> Task:
    settings.MEDIA_URL = "/media/"
    return make_task(status="success", result={"artifacts": [CSV]})


def test_the_admin_links_to_them(admin_client: Client, task: Task) -> None:
    page = admin_client.get(f"/admin/django_image_tasks/task/{task.pk}/change/")
    assert LINK in page.content.decode()


def test_the_page_of_the_api_links_to_them(admin_client: Client, task: Task) -> None:
    page = admin_client.get(f"/v2/tasks/{task.pk}", headers={"accept": "text/html"})
    assert LINK in page.content.decode()


def test_without_an_address_a_file_has_no_link(settings: Any) -> None:
    settings.MEDIA_URL = ""
    assert artifacts({"artifacts": [CSV]}) == [("<users>.csv", "2.0 KiB", "")]


def test_a_storage_that_fails_costs_the_link_alone(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "broken": {"BACKEND": "django.core.files.storage.Storage"},
    }
    assert artifacts({"artifacts": [CSV | {"storage": "broken"}]})[0].url == ""


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        "artifacts",
        {},
        {"artifacts": None},
        {"artifacts": {"location": "a"}},
        {"artifacts": [None, 1, "a", [], {}]},
        {"artifacts": [{"name": "a"}, {"location": 7}, {"location": None}]},
        {"artifacts": [{"location": "a", "storage": "none such"}]},
        {"artifacts": [{"location": "a", "storage": ["default"]}]},
    ],
)
def test_what_is_no_file_is_left_out(result: Any) -> None:
    assert artifacts(result) == []


@pytest.mark.parametrize("size", [None, True, -1, "7", 1.5])
def test_a_size_that_is_none_is_left_out(size: Any) -> None:
    [file] = artifacts({"artifacts": [{"name": 7, "size": size, "location": "a"}]})
    assert file[:2] == ("a", "")


def test_of_very_many_files_some_are_linked() -> None:
    assert len(artifacts({"artifacts": [CSV] * (MOST + 1)})) == MOST
