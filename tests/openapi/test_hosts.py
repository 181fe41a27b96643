"""What a host has set shows; what is the host's own is left alone."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.urls import include, path
from django_filters import BooleanFilter
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from rest_framework import serializers
from rest_framework.viewsets import ModelViewSet

from django_image_tasks.filters import TaskFilterSet, WordsFilter
from django_image_tasks.models import Task
from django_image_tasks.serializers import TaskSerializer, TaskSummarySerializer
from tests.docs.readme import ROOT
from tests.openapi.described import describe, query_of

HERE = __name__


class MoreFilterSet(TaskFilterSet):
    message = WordsFilter("message")
    finished = BooleanFilter("finished_at", lookup_expr="isnull", exclude=True)


class LoudSerializer(TaskSerializer):
    volume = serializers.IntegerField(read_only=True)

    class Meta(TaskSerializer.Meta):
        fields = (*TaskSerializer.Meta.fields, "volume")


class MessageSerializer(TaskSummarySerializer):
    class Meta(TaskSummarySerializer.Meta):
        fields = (*TaskSummarySerializer.Meta.fields, "message")


class OwnSerializer(serializers.ModelSerializer[Task]):
    class Meta:
        model = Task
        fields = ("name", "status")


class OwnViewSet(ModelViewSet[Task]):
    queryset = Task.objects.all()
    serializer_class = OwnSerializer


own = [path("own", OwnViewSet.as_view({"get": "list", "post": "create"}))]
urlpatterns = [*own, path("images/", include("django_image_tasks.urls"))]


@pytest.fixture
def use(settings: Any) -> Any:
    def use(**names: Any) -> None:
        settings.IMAGE_TASKS = names

    return use


def test_the_filters_of_a_subclass(use: Any) -> None:
    ours = query_of(describe())
    assert set(ours) == {*TaskFilterSet.base_filters, "limit", "marker"}

    use(FILTERSET_CLASS=f"{HERE}.MoreFilterSet")

    query = query_of(describe())
    assert query.pop("message")["schema"] == {
        "type": "array",
        "items": {"type": "string"},
        "maxItems": 100,
    }
    assert query.pop("finished")["schema"] == {"type": "boolean"}
    assert query == ours


def test_describing_a_filter_leaves_nothing_in_it() -> None:
    describe()

    assert not any(hasattr(item, "_field") for item in TaskFilterSet.base_filters.values())


def test_the_fields_of_subclassed_serializers(use: Any) -> None:
    before = describe()["components"]["schemas"]
    use(
        SERIALIZER_CLASS=f"{HERE}.LoudSerializer",
        LIST_SERIALIZER_CLASS=f"{HERE}.MessageSerializer",
    )

    schemas = describe()["components"]["schemas"]

    assert set(schemas["Loud"]["properties"]) == {*before["ImageTask"]["properties"], "volume"}
    assert schemas["Loud"]["properties"]["volume"] == {"type": "integer", "readOnly": True}
    assert "message" in schemas["Message"]["properties"]
    assert schemas["MessageList"]["properties"]["tasks"]["items"] == {
        "$ref": "#/components/schemas/Message"
    }
    assert schemas["NewLoud"]["oneOf"] == [{"$ref": "#/components/schemas/NewLoudImport"}]


def test_the_limits(use: Any) -> None:
    use(LIMIT_PARAM_DEFAULT=7, API_LIMIT_MAX=70)

    limit = query_of(describe())["limit"]

    assert limit["schema"]["default"] == 7
    assert limit["description"] == "Tasks on a page; 70 at most."


def test_anonymous_use(use: Any) -> None:
    use(ANONYMOUS_OWNER="commons")

    assert {} in describe()["paths"]["/v2/tasks"]["get"]["security"]


def test_the_hosts_own_views_are_described_as_without_us() -> None:
    ours, alone = describe(HERE), SchemaGenerator(patterns=own).get_schema(public=True)

    assert ours["paths"]["/own"] == alone["paths"]["/own"]
    components = alone["components"]["schemas"]
    assert components.items() <= ours["components"]["schemas"].items()
    assert "/images/v2/tasks/{id}" in ours["paths"]


@pytest.mark.parametrize(
    "name", ["rest_framework.schemas.openapi.AutoSchema", "drf_spectacular.openapi.AutoSchema"]
)
def test_whatever_schema_class_is_the_hosts_default(settings: Any, name: str) -> None:
    before = describe()
    settings.REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": name}

    assert describe() == before


def test_a_host_that_is_at_openapi_3_0_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with patched_settings({"OAS_VERSION": "3.0.3"}):
        SchemaGenerator(urlconf="django_image_tasks.urls").get_schema(public=True)
    GENERATOR_STATS.reset()

    assert 'needs SPECTACULAR_SETTINGS["OAS_VERSION"] = "3.1.1"' in capsys.readouterr().err


WITHOUT = """
import sys
import django
from django.conf import settings
from django.urls import reverse
from example_project.settings import INSTALLED_APPS

apps = [app for app in INSTALLED_APPS if not app.startswith("drf_spectacular")]
settings.configure(INSTALLED_APPS=apps, ROOT_URLCONF="django_image_tasks.urls")
django.setup()
print(reverse("task-list"), "drf_spectacular" in sys.modules)
"""


def test_nothing_of_it_is_loaded_where_it_is_not_installed() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True)

    assert done.stdout == "/v2/tasks False\n", done.stderr
