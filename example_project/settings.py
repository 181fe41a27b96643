"""A project as somebody might have it, with the app plugged in."""

import os
from pathlib import Path

import dj_database_url

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "for a demonstration on this machine only"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks_db",
    "django_image_tasks",
    "example_project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers wait for each other instead of failing with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }

# The demonstration imports from itself, which no other project should allow.
IMAGE_TASKS = {
    "HANDLERS": {
        "import": "django_image_tasks.handlers.image_import.ImageImport",
        "thumbnail": "example_project.thumbnails.Thumbnail",
    },
    "IMPORT_TRUSTED_HOSTS": ["127.0.0.1"],
    "MAX_WAIT": 60,
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# OpenAPI, and Swagger UI from local files.
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
INTRODUCTION = """\
A task is a piece of work on an image that takes longer than a request should. Create one, then
look at it until its `status` is `success` or `failure`. Each path can be opened in a browser,
too: [the tasks](/v2/tasks).

**Who asks.** Send a token as `X-Auth-Token`, or log in first: the session of this browser counts.
*Authorize* keeps a token for "Try it out". You see the tasks of your own owner.

**Pages.** A list has 25 tasks, or `limit`. Follow `next` until there is none; it leads behind the
`marker`.

**Filters.** `?status=failure` asks for equality, `?status=in:pending,processing` or a repeated
parameter for any of several, `?created_at=gte:2026-01-31` for a time.
`?sort=status:asc,created_at` sorts.

**Errors** are `{"badRequest": {"code": 400, "title": …, "message": …}}`, and the message is one
line to act on.
"""
SPECTACULAR_SETTINGS = {
    "DESCRIPTION": INTRODUCTION,
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "TITLE": "Image tasks",
    "VERSION": "2.2",
    "CONTACT": {"name": "Whoever operates this server"},
    "LICENSE": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": "/", "description": "This server"}],
    "TAGS": [
        {"name": "Image tasks", "description": "Tasks: long-running work on images."},
        {"name": "Image API", "description": "What the API is, for clients to find out."},
    ],
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = os.environ.get("MEDIA_ROOT", BASE_DIR / "media")
LOGIN_URL = "rest_framework:login"
