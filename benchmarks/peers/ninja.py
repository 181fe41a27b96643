"""The list as django-ninja makes it out of the box."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, FilterSchema, NinjaAPI, Query, Schema
from ninja.pagination import LimitOffsetPagination, paginate
from ninja.security import APIKeyHeader
from rest_framework.authtoken.models import Token

from benchmarks.peers.visible import visible_to
from django_image_tasks.models import Task


class TaskOut(Schema):
    id: UUID
    type: str
    status: str
    owner: str
    created_at: datetime
    updated_at: datetime
    path: str = Field(serialization_alias="self")
    schema_path: str = Field("/v2/schemas/task", serialization_alias="schema")
    expires_at: datetime | None
    name: str
    progress: int

    @staticmethod
    def resolve_path(task: Task) -> str:
        return f"/v2/tasks/{task.pk}"


class TaskFilters(FilterSchema):
    type: str | None = None
    status: str | None = None
    owner: str | None = None


class TokenHeader(APIKeyHeader):
    param_name = "X-Auth-Token"

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        if not key:
            return AnonymousUser()
        token = Token.objects.select_related("user").filter(key=key).first()
        return token and token.user


api = NinjaAPI(auth=TokenHeader(), docs_url=None)


@api.get("tasks", response=list[TaskOut], by_alias=True)
@paginate(LimitOffsetPagination)
def tasks(request: HttpRequest, filters: Query[TaskFilters]) -> QuerySet[Task]:
    tasks = visible_to(request.auth).order_by("-created_at", "-id")  # type: ignore[attr-defined]
    return filters.filter(tasks)
