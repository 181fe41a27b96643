"""The service clients of tempest, which take exactly one success code for an answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_image_tasks.models import Task
from tests.clients.tasks import SOURCE, MakeTasks, ids
from tests.requirements import needs

auth = needs("tempest.lib.auth")
exceptions = needs("tempest.lib.exceptions")
schemas_client = needs("tempest.lib.services.image.v2.schemas_client")
tasks_client = needs("tempest.lib.services.image.v2.tasks_client")
versions_client = needs("tempest.lib.services.image.v2.versions_client")


class NoCredentials(auth.Credentials):  # type: ignore[misc, name-defined]
    def is_valid(self) -> bool:
        return True


class TokenAuth(auth.AuthProvider):  # type: ignore[misc, name-defined]
    """A known token and a known endpoint, where tempest would ask Keystone for both."""

    def __init__(self, root: str, token: str) -> None:
        super().__init__(NoCredentials())
        self.root = root
        self.token = token

    def base_url(self, filters: Any, auth_data: Any = None) -> str:
        return str(auth.apply_url_filters(self.root, filters))

    def is_expired(self, auth_data: Any) -> bool:
        return False

    def _decorate_request(
        self,
        filters: Any,
        method: str,
        url: str,
        headers: Any = None,
        body: Any = None,
        auth_data: Any = None,
    ) -> tuple[str, dict[str, str], Any]:
        if not url.startswith("http"):
            url = f"{self.base_url(filters)}/{url}"
        return url, {**(headers or {}), "X-Auth-Token": self.token}, body

    def _get_auth(self) -> tuple[str, None]:
        return self.token, None

    def _fill_credentials(self, auth_data_body: Any) -> None:
        pass


@pytest.fixture
def provider(root: str, token: str) -> TokenAuth:
    return TokenAuth(root, token)


@pytest.fixture
def tasks(provider: TokenAuth) -> Any:
    return tasks_client.TaskClient(provider, "image", "region")


def test_lists_a_page(tasks: Any, user: User, make_tasks: MakeTasks) -> None:
    expected = ids(make_tasks(3))

    page = tasks.list_tasks(limit=2, sort_key="created_at", sort_dir="desc")

    assert [task["id"] for task in page["tasks"]] == expected[:2]
    assert page["first"] == "/v2/tasks?limit=2&sort_key=created_at&sort_dir=desc"
    assert page["next"] == f"{page['first']}&marker={expected[1]}"


def test_filters(tasks: Any, make_tasks: MakeTasks) -> None:
    make_tasks(2)

    assert tasks.list_tasks(status="success")["tasks"] == []


def test_shows_a_task(tasks: Any, make_tasks: MakeTasks) -> None:
    [row] = make_tasks(1, input=SOURCE)

    task = tasks.show_tasks(str(row.pk))

    assert (task["id"], task["input"], task["status"]) == (str(row.pk), SOURCE, "pending")
    assert (task["message"], task["result"]) == ("", None)


def test_creates_a_task(tasks: Any, user: User, root: str) -> None:
    created = tasks.create_task(type="import", input=SOURCE)

    row = Task.objects.get()
    assert (row.input, row.owner) == (SOURCE, str(user.pk))
    assert (created["id"], created.response.status) == (str(row.pk), 201)
    assert created.response["location"] == f"{root}/v2/tasks/{row.pk}"


def test_finds_the_versions_without_one_in_its_endpoint(provider: TokenAuth, root: str) -> None:
    client = versions_client.VersionsClient(provider, "image", "region")

    versions = client.list_versions()

    assert versions.response.status == 300
    assert {link["href"] for version in versions["versions"] for link in version["links"]} == {
        f"{root}/v2/"
    }
    assert client.has_version("2.2")


@pytest.mark.parametrize("name", ["task", "tasks", "image"])
def test_reads_a_schema(provider: TokenAuth, name: str) -> None:
    client = schemas_client.SchemasClient(provider, "image", "region")

    assert client.show_schema(name)["name"] == name


def test_reads_that_there_is_no_such_task(tasks: Any) -> None:
    with pytest.raises(exceptions.NotFound) as error:
        tasks.show_tasks("7")

    assert error.value.resp_body["message"] == "Could not find task 7"


def test_reads_why_a_task_was_refused(tasks: Any) -> None:
    with pytest.raises(exceptions.BadRequest) as error:
        tasks.create_task(type="import")

    assert error.value.resp_body["message"] == "Task 'input' is required"


def test_reads_that_its_token_is_nobodys(root: str, transactional_db: None) -> None:
    tasks = tasks_client.TaskClient(TokenAuth(root, "nobodys"), "image", "region")

    with pytest.raises(exceptions.Unauthorized) as error:
        tasks.list_tasks()

    assert error.value.resp_body["message"] == "Invalid token."
