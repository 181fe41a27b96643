from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from django_image_tasks.views import VersionsView
from example_project.images import image
from example_project.thumbnails import thumbnails

schema = SpectacularAPIView.as_view(urlconf="django_image_tasks.urls")
swagger_ui = SpectacularSwaggerSplitView.as_view(template_name="example_project/swagger_ui.html")

urlpatterns = [
    path("admin/", admin.site.urls),
    path("demo.qcow2", image),
    path("thumbnails", thumbnails),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),  # with DEBUG alone
    path("accounts/", include("rest_framework.urls")),
    path("api/schema/", schema, name="schema"),
    path("api/schema/swagger-ui/", swagger_ui, name="swagger-ui"),
    # keystoneauth asks for a prefix without its slash, and cannot follow Django's redirect.
    path("image", VersionsView.as_view(status_code=300, schema=None)),
    path("image/", include("django_image_tasks.urls", namespace="image")),
    path("", include("django_image_tasks.urls")),
]
