"""The projects that we are plugged into, as their generators make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

STARTPROJECT = "django-admin startproject yourproject ."


class Generator(NamedTuple):
    commands: str
    """What a shell runs in an empty directory."""
    settings: str = "yourproject/settings.py"
    admin: str = "/admin/"
    directory: str = "."
    """Where its ``manage.py`` is."""
    more: Mapping[str, str] = {}
    """Code by file, which is added to what was generated."""
    name_of_user: str = "ada"


E_MAIL_USERS = {
    "people/__init__.py": "",
    "people/models.py": """
import uuid

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class Users(UserManager):
    def create_superuser(self, email, password=None, **fields):
        fields |= {"is_staff": True, "is_superuser": True}
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    username = None
    email = models.EmailField(unique=True)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
    objects = Users()
""",
    "yourproject/settings.py": """
INSTALLED_APPS += ["people", "allauth", "allauth.account"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
""",
    "yourproject/urls.py": """
from django.urls import include

urlpatterns += [path("accounts/", include("allauth.urls"))]
""",
}

GENERATORS = {
    "startproject": Generator(STARTPROJECT),
    "allauth": Generator(STARTPROJECT, more=E_MAIL_USERS, name_of_user="ada@example.org"),
    "djangocms": Generator(f"{STARTPROJECT} && djangocms . --noinput --use-bundled-install-rules"),
    "modern-django-starter": Generator(
        # Enter takes what each question proposes: allauth, REST framework, Celery, Sentry.
        "yes '' | modern-django-starter create yourproject",
        "yourproject/settings/base.py",
        directory="yourproject",
    ),
    "wagtail": Generator(
        "wagtail start yourproject .", "yourproject/settings/base.py", "/django-admin/"
    ),
}
