from django.contrib import admin
from django.urls import include, path

from django_image_tasks.views import VersionsView
from example_project.images import image

urlpatterns = [
    path("admin/", admin.site.urls),
    path("demo.qcow2", image),
    path("accounts/", include("rest_framework.urls")),
    # keystoneauth asks for a prefix without its slash, and cannot follow Django's redirect.
    path("image", VersionsView.as_view(status_code=300)),
    path("image/", include("django_image_tasks.urls", namespace="image")),
    path("", include("django_image_tasks.urls")),
]
