"""Pictures of every face, for the documentation: ``python -m tests.browser.screenshots``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import django
from django.core.management import call_command

PICTURES = Path(__file__).parents[3] / "docs" / "screenshots"


def set_up(scratch: str) -> None:
    """A project with a database of its own."""
    name = f"{scratch}/db.sqlite3"
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{name}",
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "BROWSER_TESTS_DATABASE": name,
        "BROWSER_TESTS_DIRECTORY": scratch,
    }
    django.setup()
    call_command("migrate", verbosity=0)


def main(directory: Path) -> None:
    with TemporaryDirectory() as scratch:
        set_up(scratch)
        # Only now can models be imported.
        from tests.browser.screenshots.gallery import fill

        fill(directory, Path(scratch))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else PICTURES)
