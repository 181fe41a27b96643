"""The fastest answers with REST framework and this package's own queries: one view, and orjson."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from benchmarks.peers.visible import visible_to
from django_image_tasks.authentication import XAuthTokenAuthentication
from django_image_tasks.keyset import parse_order
from django_image_tasks.models import Task
from django_image_tasks.serializers import TaskSerializer, TaskSummarySerializer

NEWEST_FIRST = parse_order([], [], [])


class LeastView(APIView):
    authentication_classes = [XAuthTokenAuthentication]
    permission_classes = []

    def answer(self, body: Any) -> HttpResponse:
        return HttpResponse(orjson.dumps(body), content_type="application/json")


class LeastList(LeastView):
    def get(self, request: Request) -> HttpResponse:
        rows = Task.objects.rows(TaskSummarySerializer.columns)
        tasks = visible_to(request.user, rows).in_order(NEWEST_FIRST)
        if marker := request.GET.get("marker"):
            tasks = tasks.after(Task.objects.values("created_at", "id").get(pk=marker))
        limit = int(request.GET.get("limit", 25))
        represent = TaskSummarySerializer().to_representation
        return self.answer({"tasks": list(map(represent, tasks.up_to(limit + 1)))[:limit]})


class LeastTask(LeastView):
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        [task] = visible_to(request.user).with_id(pk)
        return self.answer(TaskSerializer().to_representation(task))
