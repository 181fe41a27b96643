"""The databases of the projects, made empty for each of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from tests.docs.readme import blocks

PAGE = "docs/how-to/databases.md"


class Database(NamedTuple):
    settings: str
    client: Sequence[str] = ()
    """The program that sends SQL to its server, with its options."""
    has_router: bool = False
    """Tasks are in a second one, as the how-to page says."""

    def make(self) -> None:
        self.drop()
        self._for_each("CREATE DATABASE {}")

    def drop(self) -> None:
        self._for_each("DROP DATABASE IF EXISTS {}")

    def _for_each(self, sql: str) -> None:
        for name in ("image_tasks_projects", "image_tasks_projects_tasks"):
            if self.client:
                command = [*self.client, sql.format(name)]
                subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def migrate(self) -> str:
        if not self.has_router:
            return "python manage.py migrate"
        migrate, on_mariadb = blocks("sh", page=PAGE)
        return f"{on_mariadb}{migrate}" if "mariadb" in self.client else migrate

    def settings_of_router(self) -> str:
        return 'DATABASES["tasks"]["NAME"] = "image_tasks_projects_tasks"\n' if self.client else ""


SERVER = """
DATABASES["default"] = {{
    "ENGINE": "django.db.backends.{engine}",
    "HOST": "127.0.0.1",
    "USER": "{user}",
    "NAME": "image_tasks_projects",
}}
"""
ONE = {
    "SQLite": Database("""
DATABASES["default"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "first.sqlite3"}
"""),
    "PostgreSQL": Database(
        SERVER.format(engine="postgresql", user="postgres"),
        ("psql", "-q", "-h", "127.0.0.1", "-U", "postgres", "-c"),
    ),
    "MariaDB": Database(
        SERVER.format(engine="mysql", user="root"),
        ("mariadb", "-h", "127.0.0.1", "-u", "root", "-e"),
    ),
}
DATABASES = ONE | {
    f"{name}, twice": database._replace(has_router=True) for name, database in ONE.items()
}
