"""Whose tasks a request sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.conftest import SOURCE
from tests.wire import hosts
from tests.wire.answers import allow, error, ids

BODY = {"type": "import", "input": SOURCE}


@pytest.fixture
def tasks(make_task: Callable[..., Task]) -> Any:
    """One of the user's own, and one of somebody else."""
    return make_task(), make_task(owner="somebody else")


@pytest.fixture
def watcher(user: User, api: APIClient) -> Any:
    """The client of a user who sees every owner's tasks."""
    allow(user, "view_all_tasks")
    api.force_authenticate(User.objects.get())
    return api


def test_a_user_sees_its_owners_tasks(api: APIClient, tasks: Any) -> None:
    mine, other = tasks

    assert ids(api.get("/v2/tasks")) == [str(mine.pk)]
    assert api.get(f"/v2/tasks/{mine.pk}").status_code == 200
    assert api.get(f"/v2/tasks/{other.pk}").status_code == 404


@pytest.mark.parametrize(
    "query", ["owner=somebody%20else", "owner=in:1,somebody%20else", "sort_key=owner", "id={}"]
)
def test_no_parameter_shows_somebody_elses_task(api: APIClient, tasks: Any, query: Any) -> None:
    _, other = tasks

    assert str(other.pk) not in ids(api.get(f"/v2/tasks?{query.format(other.pk)}"))


def test_owners_differ_in_case_and_spaces(make_task: Callable[..., Task]) -> None:
    mia = User.objects.create_user("mia")
    mia.image_tasks_owner = "abc"
    api = APIClient()
    api.force_authenticate(mia)
    mine, *_ = [make_task(owner=owner) for owner in ("abc", "ABC", "abc ", " abc", "abć", "")]

    assert ids(api.get("/v2/tasks")) == [str(mine.pk)]


def test_the_permission_shows_every_task(watcher: Any, tasks: Any) -> None:
    mine, other = tasks

    assert ids(watcher.get("/v2/tasks")) == [str(other.pk), str(mine.pk)]
    assert ids(watcher.get("/v2/tasks?owner=somebody%20else")) == [str(other.pk)]
    assert watcher.get(f"/v2/tasks/{other.pk}").json()["owner"] == "somebody else"


def test_the_permission_may_come_from_a_group(api: APIClient, user: User, tasks: Any) -> None:
    group = Group.objects.create(name="watchers")
    group.permissions.add(Permission.objects.get(codename="view_all_tasks"))
    user.groups.add(group)

    assert len(ids(api.get("/v2/tasks"))) == 2


def test_a_permission_that_others_have_shows_nothing_more(
    api: APIClient, user: User, tasks: Any
) -> None:
    permission = Permission.objects.get(codename="view_all_tasks")
    User.objects.create_user("watcher").user_permissions.add(permission)
    group = Group.objects.create(name="watchers")
    group.permissions.add(permission)
    User.objects.create_user("member").groups.add(group)
    mine, _ = tasks

    assert ids(api.get("/v2/tasks")) == [str(mine.pk)]


def test_a_permission_of_that_name_of_another_app_shows_nothing_more(
    api: APIClient, user: User, tasks: Any
) -> None:
    users = ContentType.objects.get_for_model(User)
    user.user_permissions.create(codename="view_all_tasks", name="another", content_type=users)
    mine, _ = tasks

    assert ids(api.get("/v2/tasks")) == [str(mine.pk)]


def test_the_permission_of_a_user_who_is_not_active_shows_nothing_more(
    api: APIClient, user: User, tasks: Any
) -> None:
    """A host's own authentication may let such a user in."""
    allow(user, "view_all_tasks")
    user.is_active = False
    mine, _ = tasks

    assert ids(api.get("/v2/tasks")) == [str(mine.pk)]


def test_other_permissions_show_nothing_more(api: APIClient, user: User, tasks: Any) -> None:
    allow(user, "view_task", "change_task", "add_task", "delete_task")
    api.force_authenticate(User.objects.get())

    assert len(ids(api.get("/v2/tasks"))) == 1


def test_other_permissions_show_nothing_more_where_several_backends_decide(
    api: APIClient, user: User, tasks: Any, settings: Any
) -> None:
    backends = ("ModelBackend", "RemoteUserBackend")
    settings.AUTHENTICATION_BACKENDS = [f"django.contrib.auth.backends.{name}" for name in backends]
    allow(user, "view_task", "change_task", "add_task", "delete_task")
    api.force_authenticate(User.objects.get())

    assert len(ids(api.get("/v2/tasks"))) == 1


def test_what_a_watcher_creates_is_its_own(watcher: Any, user: User) -> None:
    assert watcher.post("/v2/tasks", BODY, format="json").json()["owner"] == str(user.pk)


def test_without_an_owner_the_list_is_empty(
    watcher: Any, tasks: Any, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.no_owner"}

    assert ids(watcher.get("/v2/tasks")) == []
    assert watcher.get(f"/v2/tasks/{tasks[0].pk}").status_code == 404
    assert error(watcher.get(f"/v2/tasks?marker={tasks[0].pk}"))[0] == 400


def test_without_an_owner_nothing_is_created(watcher: Any, settings: Any) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.no_owner"}

    response = watcher.post("/v2/tasks", b"", content_type="text/plain")

    assert error(response) == (403, "Tasks belong to an owner, and this request has none.")
    assert not Task.objects.exists()


def test_a_setting_names_the_owner(
    api: APIClient, make_task: Callable[..., Task], settings: Any
) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.owner_from_header"}
    theirs = make_task(owner="them")
    make_task()
    api.credentials(HTTP_X_OWNER="them")

    assert ids(api.get("/v2/tasks")) == [str(theirs.pk)]
    assert api.post("/v2/tasks", BODY, format="json").json()["owner"] == "them"


UUID_OWNER = UUID("0a1b2c3d-0000-4000-8000-000000000001")
LONG = "x" * 255


@pytest.fixture(params=["function", "attribute"])
def returns(request: pytest.FixtureRequest, user: User, settings: Any) -> Any:
    """Lets the owner be this: by the setting's function, or as the user names it."""

    def returns(owner: Any) -> None:
        if request.param == "function":
            settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.owner_of_the_test"}
            user.what_the_function_returns = owner
        else:
            user.image_tasks_owner = owner

    return returns


@pytest.mark.parametrize(
    ("owner", "text"),
    [
        ("them", "them"),
        (SafeString("them"), "them"),
        (" ä 😀 ", " ä 😀 "),
        (LONG, LONG),
        ("0", "0"),
        (7, "7"),
        (-7, "-7"),
        (UUID_OWNER, str(UUID_OWNER)),
    ],
)
def test_an_owner_becomes_text(api: APIClient, returns: Any, owner: Any, text: Any) -> None:
    returns(owner)

    created = api.post("/v2/tasks", BODY, format="json")

    assert created.json()["owner"] == text
    assert ids(api.get("/v2/tasks")) == [created.json()["id"]]


SECRET = "forged\nline"


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        (False, "it is of type bool"),
        (True, "it is of type bool"),
        (0.5, "it is of type float"),
        (b"them", "it is of type bytes"),
        ([], "it is of type list"),
        (["them"], "it is of type list"),
        (AnonymousUser(), "it is of type AnonymousUser"),
        (SimpleLazyObject(lambda: None), "it is of type SimpleLazyObject"),
        (0, "it is 0"),
        ("", "it is empty"),
        (" \u3000", "it is empty"),
        (LONG + "x", "it is too long"),
        (10**255, "it is too long"),
        pytest.param(10**5000, "it is too long", id="thousands of digits"),
        (SECRET, "it has a control character, or half of a surrogate pair"),
        ("a\0b", "it has a control character, or half of a surrogate pair"),
        ("a\x85b", "it has a control character, or half of a surrogate pair"),
        ("a\u2028b", "it has a control character, or half of a surrogate pair"),
        ("\ud83d", "it has a control character, or half of a surrogate pair"),
    ],
)
def test_what_might_be_shared_is_no_owner(
    api: APIClient,
    returns: Any,
    make_task: Callable[..., Task],
    caplog: pytest.LogCaptureFixture,
    owner: Any,
    reason: Any,
) -> None:
    for text in ("", "0", "False", "True", "0.5", "[]", LONG):
        make_task(owner=text)
    returns(owner)

    assert ids(api.get("/v2/tasks")) == []
    assert api.post("/v2/tasks", BODY, format="json").status_code == 403
    messages = {record.getMessage() for record in caplog.records if "no_owner" in record.msg}
    assert messages == {f'no_owner path=/v2/tasks reason="{reason}"'}


def test_none_is_no_owner_and_nothing_to_log(
    api: APIClient, returns: Any, caplog: pytest.LogCaptureFixture
) -> None:
    returns(None)

    assert ids(api.get("/v2/tasks")) == []
    assert caplog.records == []


@pytest.mark.parametrize("media_type", ["application/json", "text/html"])
@pytest.mark.parametrize(
    ("refusal", "status"), [("PermissionDenied", 403), ("Http404", 404), ("Throttled", 429)]
)
def test_an_owners_function_may_refuse(
    api: APIClient, settings: Any, media_type: Any, refusal: Any, status: Any
) -> None:
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.refusing_owner"}

    response = api.get("/v2/tasks", headers={"Accept": media_type, "X-Refusal": refusal})

    assert response.status_code == status


# Nobody in particular


def test_anonymous_clients_are_refused(client: Client, db: None) -> None:
    assert client.get("/v2/tasks").status_code == 401
    assert client.post("/v2/tasks", BODY, content_type="application/json").status_code == 401
    assert client.get("/v2/tasks/7").status_code == 401


@pytest.fixture
def commons(settings: Any) -> None:
    settings.IMAGE_TASKS = {"ANONYMOUS_OWNER": "commons"}


def test_a_setting_lets_anonymous_clients_in(
    client: Client, commons: Any, make_task: Callable[..., Task]
) -> None:
    make_task()

    created = client.post("/v2/tasks", BODY, content_type="application/json")

    assert created.status_code == 201
    assert created.json()["owner"] == "commons"
    assert "user_id" not in created.json()
    assert ids(client.get("/v2/tasks")) == [created.json()["id"]]


def test_a_known_user_keeps_its_own_owner_beside_anonymous_ones(
    api: APIClient, user: User, commons: Any, make_task: Callable[..., Task]
) -> None:
    make_task(owner="commons")
    mine = make_task()

    assert ids(api.get("/v2/tasks")) == [str(mine.pk)]


def test_an_anonymous_client_that_is_let_in_without_an_owner_sees_nothing(
    client: Client, make_task: Callable[..., Task], settings: Any
) -> None:
    permission = "rest_framework.permissions.AllowAny"
    settings.IMAGE_TASKS = {"PERMISSION_CLASSES": [permission]}
    make_task()

    assert ids(client.get("/v2/tasks")) == []
    assert client.post("/v2/tasks", BODY, content_type="application/json").status_code == 403


@pytest.fixture
def asked(settings: Any) -> list[str]:
    """The paths of the requests whose owner the host's function was asked for."""
    hosts.asked.clear()
    settings.IMAGE_TASKS = {"OWNER": "tests.wire.hosts.owner_that_counts"}
    return hosts.asked


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_the_hosts_function_is_asked_once_a_request(
    api: APIClient, make_task: Callable[..., Task], asked: Any, accept: Any
) -> None:
    task = make_task()
    headers = {"Accept": accept}
    body = {"type": "import", "input": SOURCE}

    api.get(f"/v2/tasks?marker={task.pk}", headers=headers)
    api.get(f"/v2/tasks/{task.pk}", headers=headers)
    api.post("/v2/tasks", body, format="json", headers=headers)
    api.post(f"/v2/tasks/{task.pk}/actions/cancel", headers=headers)

    assert asked == [
        "/v2/tasks",
        f"/v2/tasks/{task.pk}",
        "/v2/tasks",
        f"/v2/tasks/{task.pk}/actions/cancel",
    ]
