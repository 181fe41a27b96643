"""Who a request acts for, and what it may see (api.md, "Who sees what")."""

from __future__ import annotations

from django.http import HttpRequest

from django_image_tasks.conf import conf

__all__ = ["owner_of_user"]


def owner_of_user(request: HttpRequest) -> str | None:
    """The default for ``IMAGE_TASKS["OWNER"]``: the user's primary key.

    A user object may name its owner itself, in an attribute ``image_tasks_owner``.
    """
    user = request.user
    if not user.is_authenticated:
        return conf.ANONYMOUS_OWNER
    owner = getattr(user, "image_tasks_owner", user.pk)
    return None if owner is None else str(owner)


def get_owner(request: HttpRequest) -> str | None:
    """The owner that the request acts for; ``None`` if it has none."""
    owner = conf.OWNER(request)
    return None if owner in (None, "") else str(owner)


def sees_every_owner(request: HttpRequest) -> bool:
    return request.user.has_perm("django_image_tasks.view_all_tasks")


def may_touch(request: HttpRequest, owner: str) -> bool:
    """Whether the request may cancel or retry the visible tasks of ``owner``."""
    return owner == get_owner(request) or request.user.has_perm("django_image_tasks.change_task")


def user_id(request: HttpRequest) -> str:
    """The user's primary key as a string; empty for anonymous ones."""
    return "" if request.user.pk is None else str(request.user.pk)
