from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from django_image_tasks.models import Task
from django_image_tasks.states import Status

from .conftest import Rights
from .pages import LIST, InlineCode, url_of

ADD = LIST + "add/"
ECHO = "tests.wire.handlers.Echo"
IMAGE = "https://example.org/image"


@pytest.fixture
def clerk(user_with: Rights) -> Client:
    return user_with("view_task", "add_task")


def form(client: Client, **values: str) -> Any:
    """The page that follows a POST which made no task."""
    response = client.post(ADD, {"owner": "1", **values})
    assert response.status_code == 200
    assert not Task.objects.exists()
    return response


def raw(client: Client, text: str) -> Any:
    return form(client, raw="1", **{"input-input": text})


def test_what_was_filled_in_becomes_a_task(clerk: Client) -> None:
    user = User.objects.get()
    data = {
        "name": "Nightly",
        "owner": "somebody",
        "input-import_from": IMAGE,
        "input-image_properties.name": "Debian",
    }
    response = clerk.post(ADD, data, headers={"X-Openstack-Request-ID": "abc"})
    task = Task.objects.get()
    assert response["Location"] == url_of(task)
    assert task.status == Status.PENDING
    assert (task.name, task.owner, task.type) == ("Nightly", "somebody", "import")
    assert task.input == {"import_from": IMAGE, "image_properties": {"name": "Debian"}}
    assert (task.user_id, task.request_id) == (str(user.pk), "req-abc")
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id) == (user.pk, str(task.pk))
    assert entry.is_addition()
    assert entry.get_change_message() == "Added."


def test_the_task_runs(
    clerk: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    engine = "django_image_tasks.engines.immediate"
    settings.IMAGE_TASKS = {"HANDLERS": {"import": ECHO}, "ENGINE": engine}
    with django_capture_on_commit_callbacks(execute=True):
        clerk.post(ADD, {"owner": "1", "input-input": '{"a": 1}'})
    task = Task.objects.get()
    assert (task.status, task.result) == (Status.SUCCESS, {"a": 1})


def test_without_a_name_it_is_the_images(clerk: Client) -> None:
    data = {"input-import_from": IMAGE, "input-image_properties.name": "Debian"}
    clerk.post(ADD, {"owner": "1", **data})
    assert Task.objects.get().name == "Debian"


def test_the_owner_is_at_first_the_users_own(clerk: Client) -> None:
    page = clerk.get(ADD).content.decode()
    assert f'name="owner" value="{User.objects.get().pk}"' in page


def test_the_api_decides_what_is_valid(clerk: Client) -> None:
    response = form(clerk, **{"input-import_from": "file:///etc/passwd", "name": "a name"})
    page = response.content.decode()
    assert "File based imports are not allowed." in page
    assert 'value="file:///etc/passwd"' in page
    assert 'value="a name"' in page


def test_what_a_handler_says_is_escaped(clerk: Client, settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": "tests.wire.handlers.Refusing"}}
    page = form(clerk, **{"input-input": "{}"}).content.decode()
    assert "Not on a Monday, &lt;b&gt;please&lt;/b&gt;." in page


def test_what_is_missing_is_named(clerk: Client) -> None:
    response = clerk.post(ADD, {"owner": ""})
    assert response.context["new"].inputs.errors == {"import_from": ["This field is required."]}
    assert response.context["new"].labels.errors == {"owner": ["This field is required."]}
    assert not Task.objects.exists()


@pytest.mark.parametrize("field", ["name", "owner", "input-import_from"])
def test_a_nul_is_an_error_of_the_form(clerk: Client, field: str) -> None:
    form(clerk, **{"input-import_from": IMAGE, field: "a\0b"})


def test_raw_json_becomes_a_task(clerk: Client) -> None:
    text = json.dumps({"import_from": IMAGE, "image_properties": {"os_distro": "debian"}})
    clerk.post(ADD, {"owner": "1", "raw": "1", "input-input": text})
    assert Task.objects.get().input == json.loads(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "This is not JSON: line 1, column 2."),
        ("[" * 100_000, "This JSON is nested too deeply, or a number too long."),
        ("1" * 5000, "This JSON is nested too deeply, or a number too long."),
        ("[1]", "schema 'task': input: [1] is not of type 'object'"),
        ('{"a": ' * 101 + "1" + "}" * 101, "schema 'task': body: nested more than 100 levels deep"),
        ('{"import_from": "\\ud800"}', "body: a string has half of a surrogate pair in it"),
        ('{"import_from": "\\u0000"}', "body: a string has a NUL in it"),
        ('{"import_from": NaN}', "body: nan is not a number of JSON"),
        ('{"import_from": 1}', "input.import_from: 1 is not of type 'string'"),
        ("\0", "Null characters are not allowed."),
    ],
)
@pytest.mark.parametrize("button", [{}, {"_otherwise": "1"}])
def test_raw_json_that_is_not_valid_is_an_error_of_the_form(
    clerk: Client, text: str, error: str, button: dict[str, str]
) -> None:
    response = form(clerk, raw="1", **{"input-input": text}, **button)
    assert response.context["new"].is_raw
    assert response.context["new"].inputs["input"].value() == text
    if not button:
        assert error in response.content.decode().replace("&#x27;", "'")
    else:
        assert response.context["new"].error or response.context["new"].inputs.errors


def test_one_click_leads_to_raw_json_and_keeps_what_was_typed(clerk: Client) -> None:
    data = {"input-image_properties.name": "käse", "name": "a name", "_otherwise": "1"}
    response = form(clerk, owner="somebody", **data)
    typed = response.context["new"].inputs["input"].value()
    assert json.loads(typed) == {"image_properties": {"name": "käse"}}
    assert 'name="raw" value="1"' in response.content.decode()
    labels = response.context["new"].labels
    assert (labels["name"].value(), labels["owner"].value()) == ("a name", "somebody")
    back = form(clerk, raw="1", _otherwise="1", **{"input-input": typed})
    assert back.context["new"].inputs["image_properties.name"].value() == "käse"
    assert 'name="raw" value="0"' in back.content.decode()


def test_json_that_the_form_cannot_show_stays_json(clerk: Client) -> None:
    response = form(clerk, raw="1", _otherwise="1", **{"input-input": '{"more": 1}'})
    assert response.context["new"].error == "There is more in this than the form has fields for."
    assert response.context["new"].inputs["input"].value() == '{"more": 1}'


def test_what_is_wrong_is_not_lost_on_the_way_to_json(clerk: Client) -> None:
    response = form(clerk, _otherwise="1", **{"input-checksum.algorithm": "crc"})
    assert not response.context["new"].is_raw
    assert list(response.context["new"].inputs.errors) == ["import_from", "checksum.algorithm"]


def test_raw_json_can_be_linked_to(clerk: Client) -> None:
    assert '<textarea name="input-input"' in clerk.get(ADD, {"raw": "1"}).content.decode()


def test_a_type_is_chosen_first_where_there_are_several(clerk: Client, settings: Any) -> None:
    handlers = {"import": ECHO, "a&b": ECHO, "retired": None}
    settings.IMAGE_TASKS = {"HANDLERS": handlers}
    page = clerk.get(ADD).content.decode()
    assert page.count("Returns its input") == 2
    assert "retired" not in page
    assert 'href="?type=a%26b"' in page
    assert "<textarea" not in page
    assert "<textarea" in clerk.get(ADD, {"type": "a&b"}).content.decode()
    assert "<textarea" not in clerk.get(ADD, {"type": "retired"}).content.decode()
    clerk.post(ADD + "?type=a%26b", {"owner": "1", "input-input": "{}"})
    assert Task.objects.get().type == "a&b"


def test_json_is_not_offered_twice(clerk: Client, settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": ECHO}}
    assert "Write JSON" not in clerk.get(ADD).content.decode()


def test_who_may_not_add_is_refused(operator: Client) -> None:
    assert operator.get(ADD).status_code == 403
    assert operator.post(ADD, {"owner": "1", "input-import_from": IMAGE}).status_code == 403
    assert not Task.objects.exists()


def test_nothing_can_be_added_where_nothing_runs(clerk: Client, settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    assert clerk.get(ADD).status_code == 403


def test_a_task_is_not_made_without_its_log(clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("django_image_tasks.admin.TaskAdmin.log_addition", fail)
    with pytest.raises(ZeroDivisionError):
        clerk.post(ADD, {"owner": "1", "input-import_from": IMAGE})
    assert not Task.objects.exists()


@pytest.mark.parametrize("query", ["", "?raw=1"])
def test_a_strict_policy_holds(clerk: Client, query: str) -> None:
    assert InlineCode(clerk.get(ADD + query).content.decode()).found == []


def test_each_field_has_a_label_and_its_help(clerk: Client) -> None:
    page = clerk.get(ADD).content.decode()
    assert '<label for="id_input-import_from">Import from' in page
    assert 'aria-describedby="id_input-import_from_helptext"' in page
    assert 'id="id_input-import_from_helptext"' in page


def test_adding_needs_no_more_than_its_permission(clerk: Client) -> None:
    assert Permission.objects.filter(user=User.objects.get(), codename="change_task").count() == 0
    assert clerk.get(LIST).context["has_add_permission"]


@pytest.mark.parametrize("way", ["link", "button"])
def test_raw_json_begins_with_an_example_that_is_taken(clerk: Client, way: str) -> None:
    response = clerk.get(ADD, {"raw": "1"}) if way == "link" else form(clerk, _otherwise="1")
    text = response.context["new"].inputs["input"].value()
    text = text if isinstance(text, str) else json.dumps(text)
    clerk.post(ADD, {"owner": "1", "raw": "1", "input-input": text})
    assert Task.objects.get().input == json.loads(text) != {}
