"""How projects differ that have us: their URLs, admin and server."""

from __future__ import annotations

from typing import NamedTuple

PREFIXED = """
from django.urls import include, path

urlpatterns += [path("images/", include("django_image_tasks.urls"))]
"""
IN_LANGUAGES = """
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns += i18n_patterns(path("", include("django_image_tasks.urls")))
"""
LANGUAGES = """
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_CODE = "en"
if "django.middleware.locale.LocaleMiddleware" not in MIDDLEWARE:
    sessions = MIDDLEWARE.index("django.contrib.sessions.middleware.SessionMiddleware")
    MIDDLEWARE.insert(sessions + 1, "django.middleware.locale.LocaleMiddleware")
"""


class Situation(NamedTuple):
    settings: str = ""
    urls: str | None = None
    """What stands in the URLconf in the place of the README's lines."""
    page: str | None = None
    """The how-to page whose files are pasted as well."""
    root: str = ""
    """Below which path the API is."""
    script_name: str = ""
    """What a proxy has taken off."""
    admin: str | None = None
    server: str = "python manage.py runserver --noreload {port}"


SITUATIONS = {
    "plain": Situation(),
    "prefix": Situation(urls=PREFIXED, root="/images"),
    "FORCE_SCRIPT_NAME": Situation('FORCE_SCRIPT_NAME = "/portal"\n', script_name="/portal"),
    "i18n_patterns": Situation(LANGUAGES, urls=IN_LANGUAGES, root="/en"),
    "ATOMIC_REQUESTS": Situation('DATABASES["default"]["ATOMIC_REQUESTS"] = True\n'),
    "AdminSite": Situation(page="admin-site", admin="/operators/"),
    "ASGI": Situation(
        page="asgi", server="python -m uvicorn yourproject.asgi:application --port {port}"
    ),
}
