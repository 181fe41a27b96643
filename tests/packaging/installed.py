"""Run by an interpreter that has the wheel and nothing else of ours; the argument is the clone."""

import pkgutil
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

NEEDS_AN_EXTRA = (
    "django_image_tasks.celery_sweep",
    "django_image_tasks.engines.",
    "django_image_tasks.handlers.image_import.",
    "django_image_tasks.health_check",
    "django_image_tasks.openapi",
    "django_image_tasks.prometheus",
    "django_image_tasks.spans",
    "django_image_tasks.tasks",
)

[clone] = map(Path, sys.argv[1:])
settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "rest_framework",
        "django_image_tasks",
    ],
    ROOT_URLCONF="django_image_tasks.urls",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()

import django_image_tasks  # noqa: E402

installed = Path(django_image_tasks.__file__).parent
assert clone not in installed.parents
assert find_spec("tests") is find_spec("example_project") is None

source = clone / "django_image_tasks"
wanted = {
    path.relative_to(source)
    for path in source.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}
missing = {path for path in wanted if not (installed / path).is_file()}
assert not missing, missing
assert {path.parts[0] for path in wanted} >= {"migrations", "py.typed", "static", "templates"}

for module in pkgutil.walk_packages([str(installed)], "django_image_tasks."):
    if not module.name.startswith(NEEDS_AN_EXTRA):
        import_module(module.name)

call_command("migrate", verbosity=0)
from django.test import Client  # noqa: E402

assert Client().get("/v2/tasks").status_code == 401
assert Client().get("/versions").status_code == 200
print(f"{len(wanted)} files installed, every module imported that needs no extra")
