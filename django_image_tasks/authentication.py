"""Who is asking: OpenStack's token header, and keystonemiddleware.

See docs/reference/http.md, "Authentication".
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import router
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from django_image_tasks.conf import conf
from django_image_tasks.log_lines import line
from django_image_tasks.statements import columns, fetch

__all__ = ["KeystoneAuthentication", "XAuthTokenAuthentication"]

logger = logging.getLogger(__name__)


class XAuthTokenAuthentication(TokenAuthentication):
    """REST framework's own tokens, in the header that OpenStack's clients send.

    It does nothing unless the project has installed ``rest_framework.authtoken``. Where anonymous
    use is allowed, a token that is nobody's counts as none: clients without Keystone make one up.
    """

    keyword = "X-Auth-Token"

    def authenticate(self, request: Request) -> Any:
        """The user and the token. Raises AuthenticationFailed for a token that is nobody's."""
        token = request.headers.get("X-Auth-Token", "")
        if not token or (self.model is None and not apps.is_installed("rest_framework.authtoken")):
            return None
        try:
            if not (token.isascii() and token.isprintable()):
                raise AuthenticationFailed("Invalid token.")
            return self.authenticate_credentials(token)
        except AuthenticationFailed:
            if conf.ANONYMOUS_OWNER is None:
                raise
            return None

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        """The user and the token, from one kept statement where the token is REST framework's."""
        model: Any = self.get_model()
        if model._meta.label == "authtoken.Token":
            using, user_model = router.db_for_read(model), get_user_model()
            bound = [(model._meta.get_field("key"), key)]
            for row in fetch(using, _token_and_user, model, user_model, bound=bound):
                names = columns(model)
                token = model.from_db(using, names, row[: len(names)])
                user = user_model.from_db(using, columns(user_model), row[len(names) :])
                token.user = user
                if user.is_active:
                    return user, token
        return super().authenticate_credentials(key)  # says in its own words why not

    def authenticate_header(self, request: Request) -> str:
        return 'X-Auth-Token realm="image"'


def _token_and_user(using: str, model: Any, user_model: Any, values: Sequence[Any]) -> Any:
    rows = model.objects.using(using).filter(("key", values[0]))
    of_user = (f"user__{name}" for name in columns(user_model))
    return rows.values_list(*columns(model), *of_user)


class KeystoneUser:
    """The identity that keystonemiddleware confirmed; it has no row in the database."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, headers: Any) -> None:
        self.pk = self.id = headers.get("X-User-Id") or None
        self.username = headers.get("X-User-Name") or self.pk or ""
        self.image_tasks_owner = headers.get("X-Project-Id") or None
        self.roles = {role.strip() for role in headers.get("X-Roles", "").split(",")}

    def get_username(self) -> str:
        return self.username

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return not self.roles.isdisjoint(conf.KEYSTONE_ADMIN_ROLES)

    def __str__(self) -> str:
        return self.username


class KeystoneAuthentication(BaseAuthentication):
    """The identity in the request's headers, where keystonemiddleware itself vouches for it.

    The middleware removes such headers from a request and leaves ``keystone.token_info`` in the
    WSGI environment, which no header can. Where Django's users may log in beside it, a project
    whose id could be a user's primary key is no owner: it would see that user's tasks.
    """

    def authenticate(self, request: Request) -> tuple[KeystoneUser, Any] | None:
        token_info = request.META.get("keystone.token_info")
        if not token_info or request.headers.get("X-Identity-Status") != "Confirmed":
            return None
        user = KeystoneUser(request.headers)
        others = any(
            not isinstance(way, KeystoneAuthentication) for way in request.authenticators or ()
        )
        if others and _is_key_of_user(user.image_tasks_owner):
            logger.warning(line("no_owner", reason="the project is named like a user of Django"))
            user.image_tasks_owner = None
        return user, token_info

    def authenticate_header(self, request: Request) -> str:
        return 'X-Auth-Token realm="image"'


def _is_key_of_user(text: str | None) -> bool:
    """Whether a user's primary key could be spelled like this; nobody looks whether it is."""
    key = get_user_model()._meta.pk
    try:
        return text is not None and str(key.to_python(text)) == text
    except ValidationError:
        return False
