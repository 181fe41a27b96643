from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import ngettext

import django_image_tasks
from django_image_tasks.states import Status
from tests.edges.catalogues import Message, messages
from tests.requirements import needs_program

PACKAGE = Path(django_image_tasks.__file__).parent
LOCALES = sorted(path.name for path in (PACKAGE / "locale").iterdir())
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")


def catalogue(package: Path, locale: str) -> Path:
    return package / "locale" / locale / "LC_MESSAGES" / "django.po"


def test_the_admin_speaks_the_languages_we_ship() -> None:
    with translation.override("de"):
        assert str(Status.FAILURE.label) == "gescheitert"
        tasks = [ngettext("%(number)s task", "%(number)s tasks", number) for number in (1, 2)]
        assert tasks == ["%(number)s Aufgabe", "%(number)s Aufgaben"]


def test_a_form_speaks_them_too(admin_client: Client) -> None:
    with translation.override("de"):
        page = admin_client.get("/admin/django_image_tasks/task/add/?type=import").content.decode()
    for text in ("Ein Image importieren", "Importieren von", "Der http- oder https-URI"):
        assert text in page


def test_so_does_the_form_that_filters(admin_client: Client) -> None:
    with translation.override("de"):
        page = admin_client.get("/v2/tasks", headers={"Accept": "text/html"}).content.decode()
    labels = re.findall("<legend>(.*?)</legend>|<label for=[^>]*>(.*?)</label>", page)
    assert "ID" in sum(labels, ())
    assert "Id" not in sum(labels, ())


@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_is_translated(locale: str) -> None:
    lacking = [
        message.singular
        for message in messages(catalogue(PACKAGE, locale))
        if message.is_fuzzy or not all(message.translations)
    ]
    assert lacking == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_has_the_placeholders_of_its_message(locale: str) -> None:
    for message in messages(catalogue(PACKAGE, locale)):
        wanted = set(PLACEHOLDER.findall(message.plural or message.singular))
        for text in message.translations:
            assert set(PLACEHOLDER.findall(text)) == wanted, text


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_compiled_is_what_is_written(locale: str) -> None:
    path = catalogue(PACKAGE, locale)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    written = list(messages(path))
    assert written
    for message in written:
        assert looked_up(compiled, message) == message.translations


def looked_up(compiled: GNUTranslations, message: Message) -> list[str]:
    context, singular, plural = message.key
    if plural is None:
        one = compiled.pgettext(context, singular) if context else compiled.gettext(singular)
        return [one]
    if context:
        return [compiled.npgettext(context, singular, plural, number) for number in (1, 2)]
    return [compiled.ngettext(singular, plural, number) for number in (1, 2)]


@pytest.mark.parametrize("locale", LOCALES)
def test_the_catalogue_has_the_messages_of_the_code_and_no_others(
    locale: str, tmp_path: Path
) -> None:
    needs_program("xgettext")
    copy = tmp_path / "package"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", locale, "--no-obsolete"],
        cwd=copy,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        check=True,
        capture_output=True,
    )
    found, written = (
        {message.key for message in messages(catalogue(package, locale))}
        for package in (copy, PACKAGE)
    )
    assert found == written


def test_gettext_is_called_by_a_name_that_makemessages_knows() -> None:
    renamed = re.compile(r"gettext(?:_lazy|_noop)? as (?!_\b)")
    assert [path for path in PACKAGE.rglob("*.py") if renamed.search(path.read_text())] == []
