"""The list as Django REST framework makes it out of the box."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.authentication import TokenAuthentication
from rest_framework.generics import ListAPIView
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.serializers import CharField, ModelSerializer, SerializerMethodField

from benchmarks.peers.visible import visible_to
from django_image_tasks.models import Task


class TaskSerializer(ModelSerializer[Task]):
    self = SerializerMethodField(method_name="get_path")
    schema = CharField(default="/v2/schemas/task", read_only=True)

    class Meta:
        model = Task
        fields = [
            "id",
            "type",
            "status",
            "owner",
            "created_at",
            "updated_at",
            "self",
            "schema",
            "expires_at",
            "name",
            "progress",
        ]

    def get_path(self, task: Task) -> str:
        return f"/v2/tasks/{task.pk}"


class Pagination(LimitOffsetPagination):
    default_limit = 25
    max_limit = 1000


class TaskList(ListAPIView[Task]):
    serializer_class = TaskSerializer
    authentication_classes = [TokenAuthentication]
    permission_classes = []
    pagination_class = Pagination
    filter_backends = [DjangoFilterBackend]
    filterset_fields = ["type", "status", "owner"]

    def get_queryset(self) -> QuerySet[Task]:
        return visible_to(self.request.user).order_by("-created_at", "-id")
