"""What a person finds in a browser."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from django_image_tasks.states import Status
from tests.wire.answers import allow, ids
from tests.wire.pages import BROWSER, Page

API_ALONE = (path("", include("django_image_tasks.urls")),)
WITHOUT_DRF = (*API_ALONE, path("admin/", admin.site.urls))
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def visit(api: APIClient) -> Any:
    def visit(path, **extra):
        return Page(api.get(path, headers=BROWSER, **extra))

    return visit


@pytest.fixture
def some_tasks(make_task: Callable[..., Task]) -> Any:
    """Of each status and name, in steps of a second and a half."""
    steps = count()
    return [
        make_task(
            name=name,
            status=status,
            created_at=NOON + timedelta(seconds=1.5 * next(steps)),
            image_id="00000000-0000-4000-8000-000000000001" if name == "a" else "",
        )
        for name in ("a", "b", "a,b")
        for status in Status.values
    ]


PAGES = [
    "/v2/tasks?limit=3&sort_key=status&sort_key=name",
    "/v2/tasks?status=x",
    "/v2/tasks/{}",
    "/v2/tasks/7",
    "/v2/tasks/{}/actions/retry",
    "/v2/schemas/tasks",
    "/versions",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_takes_no_query_more_than_its_json(
    client: Client, user: User, some_tasks: Any, path: Any
) -> None:
    allow(user, "view_all_tasks")
    client.force_login(user)
    path = path.format(some_tasks[0].pk)

    with CaptureQueriesContext(
        connection,
    ) as for_json:
        expected = client.get(path).status_code
    with CaptureQueriesContext(connection) as for_page:
        page = client.get(path, headers=BROWSER)

    assert page.status_code == expected
    assert len(for_page) <= len(for_json)  # the first request of a process asks for content types


@pytest.mark.parametrize("path", PAGES)
def test_a_strict_content_security_policy_holds(visit: Any, some_tasks: Any, path: Any) -> None:
    for task in some_tasks[:4]:
        page = visit(path.format(task.pk))

        assert not page.all("style")
        assert all("src" in attrs for attrs in page.all("script"))
        assert not [
            (tag, name)
            for tag, attrs in page.tags
            for name in attrs
            if name == "style" or name.startswith("on")
        ]


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_unique_and_labels_lead_to_them(visit: Any, some_tasks: Any, path: Any) -> None:
    page = visit(path.format(some_tasks[0].pk))

    found = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(found) == len({*found})
    assert {label["for"] for label in page.all("label", "for")} <= {*found}
    assert {ref for _, attrs in page.tags if (ref := attrs.get("aria-describedby"))} <= {*found}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "limit=5&x=1&x=2",
        "type=import&status=success&status=failure",
        "status=in:pending,failure",
        "name=a&name=b",
        'name=in:a,"a,b"',
        "image_id=00000000-0000-4000-8000-000000000001",
        "created_at=gte:2026-05-01T12:00:03Z&created_at=lt:2026-05-01T12:00:12Z",
        "created_at=gte:2026-05-01T14:00:03%2B02:00",
        "created_at=gte:2026-05-01T12:00:01.5Z&created_at=lt:2026-05-01T12:00:07.5Z",
        "created_at=gt:2026-05-01T12:00:03&created_at=neq:2026-05-01T12:00:06",
        "created_at=gte:2026-05-01&created_at=gte:2026-05-01T12:00:03",
        "created_at=2026-05-01T12:00:03",
        "sort=name:asc,status",
        "sort=name&sort=status:asc",
        "sort_key=name&sort_key=status&sort_dir=asc",
        "sort_key=name&sort_key=status&sort_dir=&sort_dir=asc",
        "sort_dir=asc",
        "sort_key=&sort_key=name",
    ],
)
def test_the_form_sent_as_it_stands_asks_for_the_same_tasks(
    api: APIClient, visit: Any, some_tasks: Any, query: Any
) -> None:
    sent = visit(f"/v2/tasks?{query}").sent_query()

    assert ids(api.get(f"/v2/tasks?{sent}")) == ids(api.get(f"/v2/tasks?{query}"))


def test_the_form_keeps_what_it_does_not_show_and_drops_the_marker(
    visit: Any, some_tasks: Any
) -> None:
    page = visit(f"/v2/tasks?limit=2&format=json&x=&marker={some_tasks[5].pk}")

    hidden = [(field["name"], field["value"]) for field in page.all("input", type="hidden")]
    assert [pair for pair in hidden if pair[0] != "csrfmiddlewaretoken"] == [
        ("limit", "2"),
        ("format", "json"),
    ]
    assert "marker" not in page.sent_query()


def test_a_range_is_shown_in_utc(visit: Any, db: None) -> None:
    page = visit("/v2/tasks?created_at=gte:2026-05-01&created_at=lt:2026-05-01T14:30%2B02:00")

    shown = {
        (field["data-operator"], field["value"])
        for field in page.all("input", **{"data-time": "created_at"})
    }
    assert shown == {("gte", "2026-05-01T00:00:00"), ("lt", "2026-05-01T12:30:00")}


def test_a_wrong_query_can_be_mended(visit: Any, some_tasks: Any) -> None:
    page = visit("/v2/tasks?status=done&name=a&created_at=soon")

    assert "Invalid status value: done" in page.texts["p"]
    assert page.all("input", name="name", value="a")
    assert page.all("input", name="created_at", value="soon")
    assert not page.all("input", "checked")


def test_a_head_sorts_and_turns_the_order(visit: Any, some_tasks: Any) -> None:
    page = visit("/v2/tasks?limit=2&sort=name:asc&marker=" + str(some_tasks[0].pk))

    assert page.all("th", **{"aria-sort": "ascending"})
    assert "?limit=2&sort_key=name&sort_dir=desc" in page.links
    assert "?limit=2&sort_key=created_at&sort_dir=desc" in page.links


def test_a_row_shows_how_far_a_task_is(visit: Any, make_task: Callable[..., Task]) -> None:
    task = make_task(name="", status="processing", progress=42)

    page = visit("/v2/tasks")

    assert page.all("span", **{"class": "task-status processing"})
    assert page.all("progress", value="42", max="100")
    assert f"/v2/tasks/{task.pk}" in page.links
    assert str(task.pk)[:8] in page.texts["code"]


@pytest.mark.parametrize("prefix", ["", "/image"])
def test_the_links_in_the_json_are_real(
    visit: Any, make_task: Callable[..., Task], prefix: Any
) -> None:
    make_task()
    task = make_task(input={"import_from": "https://example.com/a?b=<c>&d", "self": "/x"})

    of_list = visit(f"{prefix}/v2/tasks?limit=1", SCRIPT_NAME="/script").links
    of_task = visit(f"{prefix}/v2/tasks/{task.pk}", SCRIPT_NAME="/script").links

    root = f"/script{prefix}/v2"
    assert {
        f"{root}/tasks?limit=1",
        f"{root}/tasks?limit=1&marker={task.pk}",
        f"{root}/schemas/tasks",
        f"{root}/schemas/task",
    } <= {*of_list}
    assert {f"{root}/tasks/{task.pk}", "https://example.com/a?b=<c>&d"} <= {*of_task}


@pytest.mark.parametrize("name", ['"></pre><script>', '\\"<b>', "a\nb", "</title><b>"])
def test_what_clients_wrote_is_only_text(
    visit: Any, make_task: Callable[..., Task], name: Any
) -> None:
    task = make_task(name=name, message=name, input={name: [name, "javascript:alert(1)"]})

    page = visit(f"/v2/tasks/{task.pk}")

    assert len(page.all("script")) == 3
    assert not any(str(link).startswith("javascript:") for link in page.links)
    assert " ".join(name.split()) in page.texts["h1"]


def actions_of(page: Any) -> Any:
    return [form["action"].rpartition("/")[2] for form in page.all("form", "data-action")]


@pytest.mark.parametrize(
    ("status", "actions"),
    [
        ("pending", ["cancel"]),
        ("processing", ["cancel"]),
        ("success", []),
        ("failure", ["retry"]),
    ],
)
def test_a_task_offers_what_can_be_done_with_it(
    visit: Any, make_task: Callable[..., Task], status: Any, actions: Any
) -> None:
    task = make_task(status=status)

    assert actions_of(visit(f"/v2/tasks/{task.pk}")) == actions


def test_a_type_that_no_longer_runs_is_not_retried(
    visit: Any, make_task: Callable[..., Task], settings: Any
) -> None:
    task = make_task(status="failure")
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}

    page = visit(f"/v2/tasks/{task.pk}")

    assert actions_of(page) == []


def test_another_owners_task_offers_nothing_to_who_may_only_look(
    visit: Any, user: User, make_task: Callable[..., Task]
) -> None:
    allow(user, "view_all_tasks")
    task = make_task(owner="another", status="failure")

    assert actions_of(visit(f"/v2/tasks/{task.pk}")) == []


def test_another_owners_task_can_be_retried_by_who_may_change_it(
    visit: Any, user: User, make_task: Callable[..., Task]
) -> None:
    allow(user, "view_all_tasks", "change_task")
    task = make_task(owner="another", status="failure")

    assert actions_of(visit(f"/v2/tasks/{task.pk}")) == ["retry"]


def test_each_type_that_runs_has_a_form_beside_the_raw_one(
    visit: Any, settings: Any, db: None
) -> None:
    settings.IMAGE_TASKS = {
        "HANDLERS": {
            "import": "django_image_tasks.handlers.image_import.ImageImport",
            "echo": "tests.wire.handlers.Echo",
            "retired": None,
        }
    }

    page = visit("/v2/tasks")

    forms = page.all("form", "data-create")
    assert [form["data-create"] for form in forms] == ["import", "echo", None]
    assert {form["action"] for form in forms} == {"/v2/tasks"}
    assert {form["data-csrf-header"] for form in forms} == {"X-CSRFTOKEN"}
    assert page.all("input", **{"data-path": "import_from", "data-type": "string"})


def test_who_has_no_owner_is_offered_no_form(visit: Any, settings: Any, db: None) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.no_owner"}

    assert not visit("/v2/tasks").all("form", "data-create")


def post(path: Any, body: Any = b"", content_type: Any = "application/json") -> Any:
    return lambda api: api.post(path, body, content_type=content_type, headers=BROWSER)


def get(path: Any) -> Any:
    return lambda api: api.get(path, headers=BROWSER)


@pytest.mark.parametrize(
    ("status", "message", "request_"),
    [
        (400, "limit param must be an integer", get("/v2/tasks?limit=x")),
        (400, "Body expected in request.", post("/v2/tasks")),
        (400, "Malformed JSON in request body.", post("/v2/tasks", b"{")),
        (404, "Could not find task 7", get("/v2/tasks/7")),
        (405, 'Method "GET" not allowed.', get("/v2/tasks/7/actions/cancel")),
        (
            415,
            'Unsupported media type "text/plain" in request.',
            post("/v2/tasks", b"x", "text/plain"),
        ),
    ],
)
def test_an_error_is_a_page_with_the_contracts_message(
    api: APIClient, db: None, status: Any, message: Any, request_: Any
) -> None:
    response = request_(api)

    page = Page(response)
    assert response.status_code == status
    assert page.texts["h1"][0].startswith(f"{status} ")
    assert message in page.texts["p"]


def test_a_conflict_is_a_page(api: APIClient, make_task: Callable[..., Task]) -> None:
    task = make_task(status="success")

    response = api.post(f"/v2/tasks/{task.pk}/actions/retry", headers=BROWSER)

    assert response.status_code == 409
    assert Page(response).texts["h1"] == ["409 Conflict"]


def test_a_task_is_not_deleted(api: APIClient, make_task: Callable[..., Task]) -> None:
    response = api.delete(f"/v2/tasks/{make_task().pk}", headers=BROWSER)

    assert response.status_code == 405
    assert "They are auto deleted" in " ".join(Page(response).texts["p"])


def test_a_fault_of_ours_is_a_page(api: APIClient, settings: Any, db: None) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.broken_owner"}
    api.raise_request_exception = False

    response = api.get("/v2/tasks", headers=BROWSER)

    assert response.status_code == 500
    assert "The server could not process the request." in Page(response).texts["p"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_suspicious_request_is_a_page(
    api: APIClient, settings: Any, db: None, method: Any
) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.suspicious_owner"}

    response = getattr(api, method)("/v2/tasks", headers=BROWSER)

    assert response.status_code == 400
    assert "Not from there." in Page(response).texts["p"]


def test_a_stranger_may_log_in_where_the_host_lets_them(client: Client, db: None) -> None:
    response = client.get("/v2/tasks?limit=1", headers=BROWSER)

    assert response.status_code == 401
    assert "/accounts/login/?next=/v2/tasks%3Flimit%3D1" in Page(response).links


def test_a_host_without_such_a_page_gets_no_link_to_it(
    client: Client, settings: Any, db: None
) -> None:
    settings.ROOT_URLCONF = "tests.wire.hosts"

    page = Page(client.get("/v2/tasks", headers=BROWSER))

    assert not any("login" in str(link) for link in page.links)


def test_who_is_logged_in_may_log_out(client: Client, user: User) -> None:
    client.force_login(user)

    page = Page(client.get("/v2/tasks", headers=BROWSER))

    assert page.all("form", action="/accounts/logout/?next=/v2/tasks")


def test_the_hosts_own_pages_stay_as_they_are(client: Client, settings: Any, db: None) -> None:
    settings.ROOT_URLCONF = "tests.wire.hosts"

    response = client.get("/own", headers=BROWSER)

    assert b"django_image_tasks" not in response.content
    assert b"rest_framework" in response.content


@pytest.mark.parametrize("document", [[0] * 100_000, ["<&>"] * 30_000, "<" * 200_000])
def test_a_page_is_in_proportion_to_a_large_document(
    api: APIClient, make_task: Callable[..., Task], document: Any
) -> None:
    task = make_task(input={"document": document, "at_the_very_end": "the end"})

    page = api.get(f"/v2/tasks/{task.pk}", headers=BROWSER).content.decode()

    assert "Only its beginning is shown here." in page
    assert "the end" not in page
    assert len(page) < 1_000_000


def test_a_page_shows_all_of_a_small_document(
    api: APIClient, make_task: Callable[..., Task]
) -> None:
    task = make_task(input={"document": [0] * 100, "at_the_very_end": "the end"})

    page = api.get(f"/v2/tasks/{task.pk}", headers=BROWSER).content.decode()

    assert "Only its beginning is shown here." not in page
    assert "&quot;the end&quot;" in page


def test_a_page_is_a_line_for_a_shell_that_names_no_token(
    api: APIClient, visit: Any, make_task: Callable[..., Task]
) -> None:
    make_task(name="it's")
    [line] = [
        text for text in visit("/v2/tasks?name=it%27s&limit=1").texts["code"] if "curl" in text
    ]
    curl, option, header, url = shlex.split(line)
    assert (curl, option, header) == ("curl", "-H", "X-Auth-Token: $TOKEN")
    assert url == "http://testserver/v2/tasks?name=it%27s&limit=1"
    assert len(ids(api.get(url))) == 1


def test_the_raw_form_begins_with_a_body_that_is_taken(api: APIClient, visit: Any) -> None:
    [body] = visit("/v2/tasks").texts["textarea"]
    assert api.post("/v2/tasks", json.loads(body), format="json").status_code == 201


def test_there_is_a_body_for_each_type(visit: Any, settings: Any) -> None:
    settings.IMAGE_TASKS = {
        "HANDLERS": {
            "import": "django_image_tasks.handlers.image_import.ImageImport",
            "echo": "tests.wire.handlers.Echo",
        }
    }
    buttons = visit("/v2/tasks").all("button", "data-example")
    assert [json.loads(button["data-example"])["type"] for button in buttons] == ["import", "echo"]


def test_staff_who_may_look_get_a_link_to_the_admin(
    client: Client, user: User, make_task: Callable[..., Task]
) -> None:
    task = make_task(owner=str(user.pk))
    client.force_login(user)
    links = {
        "/v2/tasks": "/admin/django_image_tasks/task/",
        f"/v2/tasks/{task.pk}": f"/admin/django_image_tasks/task/{task.pk}/change/",
    }
    for is_staff in (False, True):
        User.objects.update(is_staff=is_staff, is_superuser=is_staff)
        for address, link in links.items():
            assert (link in Page(client.get(address, headers=BROWSER)).links) is is_staff


@pytest.mark.parametrize(
    ("urls", "login_url", "link"),
    [
        ("example_project.urls", "/nowhere/", "/accounts/login/"),
        (WITHOUT_DRF, "admin:login", "/admin/login/"),
        (WITHOUT_DRF, "/nowhere/", "/admin/login/"),
        (API_ALONE, "/nowhere/", None),
    ],
)
def test_who_is_not_logged_in_is_led_to_where_one_can(
    client: Client, db: None, settings: Any, urls: Any, login_url: str, link: str | None
) -> None:
    settings.ROOT_URLCONF = urls
    settings.LOGIN_URL = login_url
    response = client.get("/v2/tasks?limit=1", headers=BROWSER)
    assert response.status_code == 401
    found = [str(href) for href in Page(response).links if "login" in str(href)]
    assert {*found} == ({f"{link}?next=/v2/tasks%3Flimit%3D1"} if link else set())
