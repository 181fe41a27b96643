"""What a host may have set, and its own urls."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.urls import include, path
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.throttling import BaseThrottle


@api_view(["GET"])
def own_view(request: Any) -> Any:
    raise NotFound


urlpatterns = [path("own", own_view), path("", include("django_image_tasks.urls"))]


def form_reading_middleware(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.POST.get("_method")
        return get_response(request)

    return middleware


def owner_from_header(request: Any) -> str | None:
    return request.headers.get("X-Owner")


def owner_that_is_a_number(request: Any) -> int:
    return 7


def no_owner(request: Any) -> None:
    return None


def broken_owner(request: Any) -> str:
    raise ZeroDivisionError("secret")


def suspicious_owner(request: Any) -> str:
    raise SuspiciousOperation("Not from there.")


class Nobody(BasePermission):
    message = "Nobody may."

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Throttle(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        return False

    def wait(self) -> float:
        return 2.5
