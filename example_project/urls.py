from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("rest_framework.urls")),
    path("image/", include("django_image_tasks.urls", namespace="image")),
    path("", include("django_image_tasks.urls")),
]
