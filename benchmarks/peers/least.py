"""The fastest list with REST framework and the ORM: one view, a token, one query, and orjson."""

from __future__ import annotations

import orjson
from django.http import HttpResponse
from rest_framework.authentication import TokenAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView

from benchmarks.peers.visible import visible_to
from django_image_tasks.keyset import parse_order
from django_image_tasks.models import Task
from django_image_tasks.serializers import TaskSummarySerializer

NEWEST_FIRST = parse_order([], [], [])


class LeastList(APIView):
    authentication_classes = [TokenAuthentication]
    permission_classes = []

    def get(self, request: Request) -> HttpResponse:
        rows = Task.objects.rows(TaskSummarySerializer.columns)
        tasks = visible_to(request.user, rows).in_order(NEWEST_FIRST)
        if marker := request.GET.get("marker"):
            tasks = tasks.after(Task.objects.values("created_at", "id").get(pk=marker))
        limit = int(request.GET.get("limit", 25))
        represent = TaskSummarySerializer().to_representation
        body = {"tasks": list(map(represent, tasks[: limit + 1][:limit]))}
        return HttpResponse(orjson.dumps(body), content_type="application/json")
