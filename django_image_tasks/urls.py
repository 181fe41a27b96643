"""The API's routes, for a project's URLconf to include."""

from __future__ import annotations

from django.urls import path

from django_image_tasks.views import SchemaView, TaskViewSet, VersionsView

app_name = "image_tasks"

urlpatterns = [
    path("", VersionsView.as_view(status_code=300), name="root"),
    path("versions", VersionsView.as_view(), name="versions"),
    path("v2/tasks", TaskViewSet.as_view({"get": "list", "post": "create"}), name="task-list"),
    path("v2/tasks/<str:pk>", TaskViewSet.as_view({"get": "retrieve"}), name="task-detail"),
    path(
        "v2/tasks/actions/cancel",
        TaskViewSet.as_view({"post": "cancel_many"}),
        name="tasks-cancel",
    ),
    path(
        "v2/tasks/actions/retry",
        TaskViewSet.as_view({"post": "retry_many"}),
        name="tasks-retry",
    ),
    path(
        "v2/tasks/<str:pk>/actions/cancel",
        TaskViewSet.as_view({"post": "cancel"}),
        name="task-cancel",
    ),
    path(
        "v2/tasks/<str:pk>/actions/retry", TaskViewSet.as_view({"post": "retry"}), name="task-retry"
    ),
    path("v2/schemas/task", SchemaView.as_view(document="task"), name="schema-task"),
    path("v2/schemas/tasks", SchemaView.as_view(document="tasks"), name="schema-tasks"),
    path("v2/schemas/image", SchemaView.as_view(document="image"), name="schema-image"),
]
