"""What we ship changes nothing of a host's own: no page, and no word on one."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import GNUTranslations
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import path

import django_image_tasks
from django_image_tasks.admin import TaskAdmin
from django_image_tasks.models import Attempt, Task

from .pages import Make

PACKAGE = Path(django_image_tasks.__file__).parent
NEIGHBOURS = ["django", "rest_framework", "django_filters"]
LANGUAGES = sorted(folder.name for folder in (PACKAGE / "locale").iterdir())


class Shorter(TaskAdmin):
    list_display = ("badge",)


hosts, derived = admin.AdminSite("hosts"), admin.AdminSite("derived")
hosts.register([Task, Attempt], admin.ModelAdmin)
derived.register(Task, Shorter)
urlpatterns = [
    path("admin/", admin.site.urls),
    path("hosts/", hosts.urls),
    path("derived/", derived.urls),
]


def templates(client: Client, url: str) -> set[str]:
    response: Any = client.get(url)
    assert response.status_code == 200
    return {str(template.name) for template in response.templates}


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("page", ["", "add/", "{}/change/", "{}/delete/", "{}/history/"])
def test_a_hosts_own_admin_of_tasks_is_djangos(
    admin_client: Client, make_task: Make, page: str
) -> None:
    url = f"/hosts/django_image_tasks/task/{page}".format(make_task().pk)
    assert not [name for name in templates(admin_client, url) if "image_tasks" in name]


@pytest.mark.urls(__name__)
def test_an_admin_that_derives_from_ours_has_our_pages(
    admin_client: Client, make_task: Make
) -> None:
    url = "/derived/django_image_tasks/task/"
    task = make_task()
    assert "django_image_tasks/admin/pagination.html" in templates(admin_client, url)
    found = templates(admin_client, f"{url}{task.pk}/change/")
    assert "django_image_tasks/admin/detail_head.html" in found


@pytest.mark.parametrize("kind", ["templates", "static"])
def test_every_file_that_others_may_find_has_our_name(kind: str) -> None:
    files = [file for file in (PACKAGE / kind).rglob("*") if file.is_file()]
    folders = {file.relative_to(PACKAGE / kind).parts[0] for file in files}
    assert folders == {"django_image_tasks"}


def catalogues(name: str, language: str) -> Iterator[dict[Any, str]]:
    package = Path(str(import_module(name).__file__)).parent
    for compiled in package.rglob(f"{language}/**/django.mo"):
        with compiled.open("rb") as file:
            yield GNUTranslations(file)._catalog  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_neighbour_is_translated_otherwise(language: str) -> None:
    """All catalogues of a project are merged: ours would be read on the neighbours' pages."""
    [ours] = catalogues("django_image_tasks", language)
    others = [each for name in NEIGHBOURS for each in catalogues(name, language)]
    assert others
    differing = {
        message
        for other in others
        for message in ours.keys() & other.keys() - {""}
        if ours[message] != other[message]
    }
    assert differing == set()
