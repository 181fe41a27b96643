"""``POST /v2/tasks/actions/…`` (docs/reference/http.md, "Many at once")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.wire.answers import allow, error

CANCEL, RETRY = "/v2/tasks/actions/cancel", "/v2/tasks/actions/retry"
BOTH = pytest.mark.parametrize("path", [CANCEL, RETRY])


@pytest.fixture
def bob(db: None) -> APIClient:
    bob = APIClient()
    bob.force_authenticate(User.objects.create_user("bob"))
    return bob


def statuses() -> dict[str, str]:
    return dict(Task.objects.values_list("name", "status"))


def test_what_the_filter_finds_is_cancelled(api: APIClient, make_task: Any) -> None:
    for status in ("pending", "processing", "success", "failure"):
        make_task(name=status, status=status)
        make_task(name=f"other {status}", status=status, image_id="x")

    response = api.post(f"{CANCEL}?image_id=x")

    assert (response.status_code, list(response.json().items())) == (
        202,
        [("cancelled", 1), ("stopping", 1), ("skipped", 2)],
    )
    pending, running = [Task.objects.get(name=f"other {s}") for s in ("pending", "processing")]
    assert (pending.status, pending.message) == ("failure", "Cancelled by ada")
    assert pending.expires_at
    assert pending.finished_at == pending.updated_at
    assert running.cancel_requested_by == "ada"
    assert statuses()["pending"] == "pending"
    assert not Task.objects.get(name="processing").cancel_requested_at

    assert api.post(f"{CANCEL}?image_id=x").json() == {"cancelled": 0, "stopping": 1, "skipped": 3}


def test_what_the_filter_finds_is_retried(api: APIClient, make_task: Any, user: User) -> None:
    failed = make_task(status="failure", name="a", user_id="other")
    make_task(status="success", name="a")
    make_task(status="failure", name="b")

    response = api.post(f"{RETRY}?name=a", headers={"X-Openstack-Request-ID": "again"})

    assert (response.status_code, list(response.json().items())) == (
        202,
        [("retried", 1), ("skipped", 1)],
    )
    [retry] = Task.objects.filter(status="pending")
    assert (retry.retry_of, retry.type, retry.input) == (failed.pk, failed.type, failed.input)
    assert (retry.name, retry.owner, retry.user_id) == ("a", failed.owner, str(user.pk))
    assert retry.request_id == "req-again"
    assert retry.turn is not None


@pytest.mark.parametrize(
    ("status", "retried"), [("pending", 0), ("processing", 0), ("success", 0), ("failure", 1)]
)
def test_no_task_is_retried_twice_by_accident(
    api: APIClient, make_task: Any, status: str, retried: int
) -> None:
    failed = make_task(status="failure", name="a")
    make_task(status=status, name="a", retry_of=failed.pk)

    response = api.post(f"{RETRY}?name=a")

    assert response.json() == {"retried": retried, "skipped": 2 - retried}


@pytest.mark.parametrize(
    ("query", "retried"),
    [("true", 1), ("false&retried=true", 1), ("", 0), ("true&retried=false", 0)],
)
def test_it_may_be_retried_twice_on_purpose(
    api: APIClient, make_task: Any, query: str, retried: int
) -> None:
    failed = make_task(status="failure")
    make_task(retry_of=failed.pk)

    response = api.post(f"{RETRY}?status=failure&retried={query}")

    assert response.json()["retried"] == retried


@BOTH
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "At least one filter is required."),
        ("?status=", "At least one filter is required."),
        ("?limit=5", "At least one filter is required."),
        ("?statsu=failure", "Unknown parameter: statsu"),
        ("?statsu=", "Unknown parameter: statsu"),
        ("?status=failure&sort=name", "Unknown parameter: sort"),
        ("?status=failure&format=json", "Unknown parameter: format"),
        ("?status=done", "Invalid status value: done"),
        ("?status=failure&limit=x", "limit param must be an integer"),
        ("?status=failure&marker=x", "Invalid marker format"),
    ],
)
def test_a_query_that_may_mean_other_tasks_is_refused(
    api: APIClient, make_task: Any, path: str, query: str, message: str
) -> None:
    make_task(name="a")
    make_task(name="b", status="failure")

    assert error(api.post(path + query)) == (400, message)
    assert statuses() == {"a": "pending", "b": "failure"}


def test_what_is_no_answer_to_retried_is_refused(api: APIClient, make_task: Any) -> None:
    assert error(api.post(f"{RETRY}?status=failure&retried=1")) == (
        400,
        "Invalid retried value: 1",
    )
    assert error(api.post(f"{CANCEL}?status=failure&retried=true")) == (
        400,
        "Unknown parameter: retried",
    )


def test_next_leads_to_the_rest(api: APIClient, make_task: Any) -> None:
    tasks = [make_task(name="a b", status="failure") for _ in range(5)]
    path = f"{RETRY}?name=a%20b&limit=2&name="
    retried = []

    while path:
        answer = api.post(path).json()
        retried.append(answer["retried"])
        path = answer.get("next")
        if len(retried) == 1:
            assert path == f"{RETRY}?name=a%20b&limit=2&name=&marker={tasks[-2].pk}"

    assert retried == [2, 2, 1]
    retries = Task.objects.filter(status="pending").values_list("retry_of", flat=True)
    assert {*retries} == {task.pk for task in tasks}


def test_at_most_1000_are_touched(api: APIClient, make_task: Any, user: User) -> None:
    Task.objects.bulk_create(Task(type="import", owner=str(user.pk), name="a") for _ in range(1001))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        first = api.post(f"{CANCEL}?name=a&limit=5000").json()
    assert first.pop("next").startswith(f"{CANCEL}?name=a&limit=5000&marker=")
    assert first == {"cancelled": 1000, "stopping": 0, "skipped": 0}
    assert len(queries) < 30
    with CaptureQueriesContext(connection) as queries:
        assert api.post(f"{RETRY}?status=failure").json() == {"retried": 1000, "skipped": 0}
    assert len(queries) < 300
    assert api.post(f"{RETRY}?status=failure&limit=0").json() == {"retried": 0, "skipped": 0}


@BOTH
def test_another_owner_learns_and_changes_nothing(
    api: APIClient, bob: APIClient, make_task: Any, path: str
) -> None:
    """What is somebody else's is answered for as if it were not there."""
    theirs = [make_task(name="a", status=status) for status in ("pending", "failure")]
    before = [*Task.objects.values()]

    for query in (f"id={theirs[0].pk}", "name=a", f"owner={theirs[0].owner}", "status=failure"):
        found, missing = bob.post(f"{path}?{query}"), bob.post(f"{path}?name=nothing")
        assert (found.status_code, found.content) == (202, missing.content)
        assert found.headers.keys() == missing.headers.keys()
    assert [*Task.objects.values()] == before
    marker = f"Task with the given id {theirs[0].pk} was not found"
    assert error(bob.post(f"{path}?name=a&marker={theirs[0].pk}")) == (400, marker)
    assert error(APIClient().post(f"{path}?statsu=x"))[0] == 401


def test_who_sees_a_task_may_not_therefore_touch_it(
    bob: APIClient, make_task: Any, settings: Any
) -> None:
    make_task(name="a")
    user = User.objects.get(username="bob")
    allow(user, "view_all_tasks")
    user = User.objects.get(pk=user.pk)
    bob.force_authenticate(user)
    assert bob.post(f"{CANCEL}?name=a").json() == {"cancelled": 0, "stopping": 0, "skipped": 1}

    allow(user, "change_task")
    bob.force_authenticate(User.objects.get(pk=user.pk))
    assert bob.post(f"{CANCEL}?name=a").json() == {"cancelled": 1, "stopping": 0, "skipped": 0}


@BOTH
def test_what_a_list_does_not_show_is_not_touched(
    api: APIClient, make_task: Any, path: str
) -> None:
    ended = timezone.now() - timedelta(hours=1)
    make_task(name="a", status="failure", finished_at=ended, expires_at=ended)

    assert {*api.post(f"{path}?name=a").json().values()} == {0}
    assert Task.objects.count() == 1


@BOTH
def test_who_has_no_owner_touches_nothing(
    api: APIClient, make_task: Any, settings: Any, path: str
) -> None:
    make_task(name="a")
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.no_owner"}

    assert {*api.post(f"{path}?name=a").json().values()} == {0}


@BOTH
def test_only_post(api: APIClient, path: str) -> None:
    response = api.get(path)

    assert error(response)[0] == 405
    assert response["Allow"] == "POST, OPTIONS"


@BOTH
def test_a_browser_gets_a_page(api: APIClient, make_task: Any, path: str) -> None:
    make_task(name="a", status="failure")

    response = api.post(f"{path}?name=a", headers={"Accept": "text/html"})

    assert response.status_code == 202
    assert "skipped" in response.content.decode()
