"""The example project behind the real keystonemiddleware."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from glanceclient import Client, exc
from pytest_django.live_server_helper import LiveServer

from django_image_tasks.models import Task
from example_project.wsgi import application
from tests.clients import keystone
from tests.clients.tasks import SOURCE
from tests.requirements import needs

auth_token = needs("keystonemiddleware.auth_token")

LogIn = Callable[[str], Any]

FORGED = {
    "X-Identity-Status": "Confirmed",
    "X-Project-Id": "p1",
    "X-User-Id": "u1",
    "X-User-Name": "U1",
    "X-Roles": "admin",
    "Keystone.Token-Info": "{}",
    "keystone.token_info": "{}",
}

pytestmark = pytest.mark.filterwarnings(
    "ignore:`version` keyword is being deprecated:DeprecationWarning:glanceclient"
)


@pytest.fixture(scope="module")
def guarded_server(django_db_setup: None) -> Iterator[LiveServer]:
    """The example project's own WSGI application, wrapped."""
    with keystone.running() as identity:
        conf = {
            "delay_auth_decision": True,
            "www_authenticate_uri": identity.url,
            "auth_type": "v3password",
            "auth_url": identity.url,
            "username": "image",
            "password": "secret",
            "user_domain_id": "default",
            "project_name": "service",
            "project_domain_id": "default",
            "service_token_roles_required": True,
        }
        server = LiveServer("localhost", start=False)
        server.thread.static_handler = lambda app: auth_token.AuthProtocol(application, conf)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def endpoint(guarded_server: LiveServer, mount: str, transactional_db: None) -> str:
    return f"{guarded_server.url}{mount}"


@pytest.fixture
def log_in(endpoint: str) -> Iterator[LogIn]:
    clients = []

    def log_in(token: str) -> Any:
        clients.append(Client("2", endpoint=endpoint, token=token))
        return clients[-1].tasks

    yield log_in
    for client in clients:
        client.http_client.session.close()


@pytest.fixture
def of_p1(transactional_db: None) -> Task:
    return Task.objects.create(type="import", owner="p1")


def test_the_project_becomes_the_owner(log_in: LogIn) -> None:
    created = log_in("member-of-p1").create(type="import", input=SOURCE)

    row = Task.objects.get()
    assert (row.owner, row.user_id) == ("p1", "u1")
    assert (created.owner, created.user_id) == ("p1", "u1")


def test_a_project_sees_its_own_tasks(log_in: LogIn, of_p1: Task) -> None:
    Task.objects.create(type="import", owner="p2")

    assert [task.id for task in log_in("member-of-p1").list()] == [str(of_p1.pk)]


def test_another_project_does_not_see_them(log_in: LogIn, of_p1: Task) -> None:
    tasks = log_in("member-of-p2")

    assert list(tasks.list()) == []
    with pytest.raises(exc.HTTPNotFound):
        tasks.get(str(of_p1.pk))


def test_an_admin_sees_every_projects_tasks(log_in: LogIn, of_p1: Task) -> None:
    tasks = log_in("admin-of-p9")

    assert [task.owner for task in tasks.list()] == ["p1"]
    assert tasks.get(str(of_p1.pk)).owner == "p1"


def test_an_admin_without_a_project_sees_nothing_and_creates_nothing(
    log_in: LogIn, of_p1: Task
) -> None:
    tasks = log_in("admin-of-none")

    assert list(tasks.list()) == []
    with pytest.raises(exc.HTTPForbidden):
        tasks.create(type="import", input=SOURCE)


def test_a_token_that_keystone_does_not_know_is_refused(log_in: LogIn) -> None:
    with pytest.raises(exc.HTTPUnauthorized):
        list(log_in("nobodys").list())


def test_nobody_is_refused(endpoint: str) -> None:
    assert requests.get(f"{endpoint}/v2/tasks", timeout=10).status_code == 401


def test_the_versions_need_no_token(endpoint: str) -> None:
    assert requests.get(f"{endpoint}/versions", timeout=10).status_code == 200


@pytest.mark.parametrize("token", [{}, {"X-Auth-Token": "nobodys"}], ids=["none", "nobodys"])
def test_the_middleware_keeps_forged_headers_out(
    endpoint: str, of_p1: Task, token: dict[str, str]
) -> None:
    answer = requests.get(f"{endpoint}/v2/tasks", headers=FORGED | token, timeout=10)

    assert answer.status_code == 401


def test_forged_headers_do_not_change_whose_a_token_is(endpoint: str, of_p1: Task) -> None:
    headers = {**FORGED, "X-Auth-Token": "member-of-p2"}

    answer = requests.get(f"{endpoint}/v2/tasks", headers=headers, timeout=10)

    assert (answer.status_code, answer.json()["tasks"]) == (200, [])


def test_without_the_middleware_such_headers_are_inert(root: str, of_p1: Task) -> None:
    answer = requests.get(f"{root}/v2/tasks", headers=FORGED, timeout=10)

    assert answer.status_code == 401


def test_without_the_middleware_they_add_nothing_to_a_token(
    root: str, token: str, of_p1: Task
) -> None:
    headers = {**FORGED, "X-Auth-Token": token}

    answer = requests.get(f"{root}/v2/tasks", headers=headers, timeout=10)

    assert (answer.status_code, answer.json()["tasks"]) == (200, [])
