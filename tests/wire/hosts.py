"""What a host may have set, and its own urls."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.throttling import BaseThrottle

from django_image_tasks.views import TaskViewSet


@api_view(["GET"])
def own_view(request: Any) -> Any:
    raise NotFound


class Cached(TaskViewSet):
    @method_decorator(cache_control(public=True, max_age=600))
    def list(self, *args: Any, **kwargs: Any) -> Any:
        return super().list(*args, **kwargs)


urlpatterns = [
    path("own", own_view),
    path("cached/v2/tasks", Cached.as_view({"get": "list"})),
    path("", include("django_image_tasks.urls")),
]


def form_reading_middleware(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.POST.get("_method")
        return get_response(request)

    return middleware


def owner_from_header(request: Any) -> str | None:
    return request.headers.get("X-Owner")


def owner_of_the_test(request: Any) -> Any:
    return request.user.what_the_function_returns


def no_owner(request: Any) -> None:
    return None


def broken_owner(request: Any) -> str:
    raise ZeroDivisionError("secret")


def suspicious_owner(request: Any) -> str:
    raise SuspiciousOperation("Not from there.")


def refusing_owner(request: Any) -> str:
    refusals = {"PermissionDenied": PermissionDenied, "Http404": Http404, "Throttled": Throttled}
    raise refusals[request.headers["X-Refusal"]]


class Nobody(BasePermission):
    message = "Nobody may."

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Throttle(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        return False

    def wait(self) -> float:
        return 2.5


def owner_from_database(request: Any) -> str:
    return str(type(request.user).objects.get(pk=request.user.pk).pk)


asked: list[str] = []


def owner_that_counts(request: Any) -> Any:
    asked.append(request.path)
    return request.user.pk
