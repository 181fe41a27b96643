"""Who may use the API at all, and who sees every owner's tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.contrib.contenttypes.models import ContentType
from django.db import router
from django.db.models import Q
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from django_image_tasks.conf import conf
from django_image_tasks.statements import fetch

__all__ = ["IsAuthenticatedOrNamed"]


class IsAuthenticatedOrNamed(IsAuthenticated):
    """Known users; anybody where ``ANONYMOUS_OWNER`` names whom they act for."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return conf.ANONYMOUS_OWNER is not None or super().has_permission(request, view)


def sees_every_owner(user: Any) -> bool:
    """Whether the user has the permission ``view_all_tasks``, now.

    Where only Django's own backend and user decide, the database is asked for this permission
    alone. ``has_perm`` reads all that the user has, which made an owner's list take twice as long.
    """
    if user.is_active and not user.is_superuser and _has_django_rules(user):
        using = router.db_for_read(Permission, instance=user)
        bound = [(user._meta.pk, user.pk)] * 2
        content_type = ContentType.objects.db_manager(using).get_for_id  # Django keeps them all
        found = fetch(using, _granted, user.__class__, bound=bound)
        return any(content_type(pk).app_label == "django_image_tasks" for (pk,) in found)
    return bool(user.has_perm("django_image_tasks.view_all_tasks"))


def _has_django_rules(user: Any) -> bool:
    return (
        settings.AUTHENTICATION_BACKENDS == ["django.contrib.auth.backends.ModelBackend"]
        and user.__class__ is get_user_model()
        and getattr(user.__class__, "has_perm", None) is PermissionsMixin.has_perm
    )


def _granted(using: str, cls: Any, values: Sequence[Any]) -> Any:
    """Permissions of that name, if given to the user or to one of the groups that they are in."""
    user, member = values
    rights, groups = cls._meta.get_field("user_permissions"), cls._meta.get_field("groups")
    own = rights.remote_field.through.objects.filter((rights.m2m_field_name(), user))
    joined = groups.remote_field.through.objects.filter((groups.m2m_field_name(), member))
    of_groups = Group.permissions.through.objects.filter(group_id__in=joined.values("group_id"))
    given = Q(pk__in=own.values("permission_id")) | Q(pk__in=of_groups.values("permission_id"))
    named = Permission.objects.using(using).order_by().filter(given, codename="view_all_tasks")
    return named.values_list("content_type_id")
