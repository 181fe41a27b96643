"""What a host puts in place of ours holds on every face: JSON, HTML, admin, terminal, OpenAPI."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.filters import TaskFilterSet, WordsFilter
from django_image_tasks.models import Task
from django_image_tasks.serializers import TaskSerializer, TaskSummarySerializer
from tests.edges.commands import image_tasks
from tests.requirements import needs

HERE = __name__
SOURCE = {"import_from": "https://example.com/a.qcow2"}
PLAIN = {
    "SERIALIZER_CLASS": f"{HERE}.Detailed",
    "LIST_SERIALIZER_CLASS": f"{HERE}.DetailedInList",
    "FILTERSET_CLASS": f"{HERE}.ByMessage",
    "TASK_VALIDATOR": f"{HERE}.refuse_night",
    "RENDERER_CLASSES": [
        "django_image_tasks.renderers.JSONRenderer",
        "django_image_tasks.renderers.BrowsableAPIRenderer",
        f"{HERE}.LinesRenderer",
    ],
    "LIMIT_PARAM_DEFAULT": 1,
}


class Detailed(TaskSerializer):
    shout = serializers.SerializerMethodField(help_text="The name, louder")

    def get_shout(self, task: Task) -> str:
        return task.name.upper()


class DetailedInList(TaskSummarySerializer):
    shout = serializers.SerializerMethodField(help_text="The name, louder")

    class Meta(TaskSummarySerializer.Meta):
        fields = (*TaskSummarySerializer.Meta.fields, "message")

    def get_shout(self, task: Task) -> str:
        return task.name.upper()


class ByMessage(TaskFilterSet):
    message = WordsFilter("message")


class LinesRenderer(JSONRenderer):
    media_type = "application/x-ndjson"


def refuse_night(task: Task) -> None:
    if task.name == "night":
        raise InvalidInput("Not at night.")


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture(autouse=True)
def two_tasks(settings: Any, admin: User, make_task: Callable[..., Task]) -> list[Task]:
    """Two tasks of one owner, in a project that has replaced all it may."""
    settings.IMAGE_TASKS = PLAIN
    return [
        make_task(owner=str(admin.pk), name=name, message=message)
        for name, message in [("ada", "first"), ("bob", "second")]
    ]


def test_json_sends_the_added_fields_and_takes_the_added_filter(browser: Client) -> None:
    page = browser.get("/v2/tasks").json()
    [newest] = page["tasks"]
    assert (newest["name"], newest["shout"], newest["message"]) == ("bob", "BOB", "second")
    [oldest] = browser.get(page["next"]).json()["tasks"]
    assert oldest["shout"] == "ADA"
    [found] = browser.get("/v2/tasks?message=first").json()["tasks"]
    assert found["name"] == "ada"
    assert browser.get(found["self"]).json()["shout"] == "ADA"


def test_the_schemas_describe_the_added_fields(browser: Client) -> None:
    described = {"description": "The name, louder"}
    assert browser.get("/v2/schemas/task").json()["properties"]["shout"] == described
    items = browser.get("/v2/schemas/tasks").json()["properties"]["tasks"]["items"]
    assert items["properties"]["shout"] == described
    assert items["properties"]["message"] == {"description": "Message"}


def test_an_added_field_that_a_client_sends_back_is_ignored_like_ours(browser: Client) -> None:
    body = {"type": "import", "input": SOURCE, "name": "noon", "shout": "x", "status": "x"}
    created = browser.post("/v2/tasks", body, content_type="application/json")
    assert (created.status_code, created.json()["shout"]) == (201, "NOON")


def test_pages_show_them(browser: Client) -> None:
    html = browser.get("/v2/tasks?message=first", headers={"Accept": "text/html"}).content.decode()
    assert "ADA" in html
    assert 'name="message"' in html


def test_the_terminal_knows_them(two_tasks: list[Task]) -> None:
    [answer] = image_tasks("list", "--message", "first", "--json").answers
    assert [task["shout"] for task in answer["tasks"]] == ["ADA"]
    assert "ADA" in image_tasks("show", str(two_tasks[0].pk)).out


def test_openapi_describes_them() -> None:
    needs("drf_spectacular")
    from tests.openapi.described import describe, query_of

    document = describe()
    assert "message" in query_of(document)
    described = document["components"]["schemas"]
    assert described["Detailed"]["properties"]["shout"]["readOnly"]
    assert {"shout", "message"} <= described["DetailedInList"]["properties"].keys()
    answer = document["paths"]["/v2/tasks"]["get"]["responses"]["200"]
    assert "application/x-ndjson" in answer["content"]


def test_a_hosts_rule_holds_in_json(browser: Client) -> None:
    body = {"type": "import", "input": SOURCE, "name": "night"}
    refused = browser.post("/v2/tasks", body, content_type="application/json")
    assert (refused.status_code, refused.json()["badRequest"]["message"]) == (400, "Not at night.")


def test_a_hosts_rule_holds_in_the_admin(browser: Client) -> None:
    url = reverse("admin:django_image_tasks_task_add") + "?type=import"
    form = {"name": "night", "owner": "7", "input-import_from": SOURCE["import_from"]}
    refused = browser.post(url, form)
    assert refused.status_code == 200
    assert "Not at night." in refused.content.decode()
    assert Task.objects.count() == 2


def test_a_hosts_rule_holds_in_the_terminal() -> None:
    ran = image_tasks(
        "create", "import", "--owner=7", "--name=night", "--input", json.dumps(SOURCE)
    )
    assert (ran.out, ran.err, ran.code) == ("", "Not at night.", 1)


def test_a_hosts_rule_holds_for_a_retry(browser: Client, two_tasks: list[Task]) -> None:
    task = two_tasks[0]
    task.cancel("root")
    Task.objects.filter(pk=task.pk).update(name="night")
    refused = browser.post(f"/v2/tasks/{task.pk}/actions/retry")
    assert (refused.status_code, refused.json()["badRequest"]["message"]) == (400, "Not at night.")
    assert not Task.objects.exclude(retry_of=None).exists()


def test_the_admin_lists_and_shows_tasks_as_ever(browser: Client, two_tasks: list[Task]) -> None:
    listed = browser.get(reverse("admin:django_image_tasks_task_changelist"))
    assert "bob" in listed.content.decode()
    shown = browser.get(reverse("admin:django_image_tasks_task_change", args=[two_tasks[0].pk]))
    assert shown.status_code == 200
