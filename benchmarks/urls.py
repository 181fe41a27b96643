from django.contrib import admin
from django.urls import include, path

from benchmarks.peers import bare, drf, least, ninja, plain

urlpatterns = [
    path("drf/tasks", drf.TaskList.as_view()),
    path("ninja/", ninja.api.urls),
    path("bare/tasks", bare.tasks),
    path("bare/tasks/<uuid:pk>", bare.task),
    path("least/tasks", least.LeastList.as_view()),
    path("least/tasks/<uuid:pk>", least.LeastTask.as_view()),
    path("admin/", admin.site.urls),
    path("our-columns/", plain.OUR_COLUMNS.urls),
    path("ten-fields/", plain.TEN_FIELDS.urls),
    path("", include("django_image_tasks.urls")),
]
