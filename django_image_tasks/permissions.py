"""Who may use the API at all."""

from __future__ import annotations

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from django_image_tasks.conf import conf

__all__ = ["IsAuthenticatedOrNamed"]


class IsAuthenticatedOrNamed(IsAuthenticated):
    """Known users; anybody where ``ANONYMOUS_OWNER`` names whom they act for."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return conf.ANONYMOUS_OWNER is not None or super().has_permission(request, view)
