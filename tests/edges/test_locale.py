from __future__ import annotations

from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.utils import translation

import django_image_tasks
from django_image_tasks.states import Status

LOCALES = sorted((Path(django_image_tasks.__file__).parent / "locale").iterdir())


def test_the_admin_speaks_the_languages_we_ship():
    with translation.override("de"):
        assert str(Status.FAILURE.label) == "gescheitert"


@pytest.mark.parametrize("locale", LOCALES, ids=lambda path: path.name)
def test_what_is_compiled_is_what_is_written(locale):
    source = (locale / "LC_MESSAGES" / "django.po").read_text()
    with (locale / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    written = source.split("\n\n")[1:]
    assert written
    for entry in written:
        original, translated = [
            line.split(" ", 1)[1].strip().strip('"') for line in entry.splitlines()
        ]
        assert compiled.gettext(original) == translated
