"""``docs/reference/http.md``: every example on it is asked and answered."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver
from rest_framework.authtoken.models import Token

from django_image_tasks.exception_handler import ERRORS
from django_image_tasks.exceptions import KeyInUse, TookTooLong
from django_image_tasks.filters import TaskFilterSet
from django_image_tasks.handlers.image_import.schema import INPUT_SCHEMA
from django_image_tasks.models import Task
from django_image_tasks.states import FINISHED
from tests.databases import away
from tests.docs import http_page as page
from tests.docs.http_page import Request
from tests.docs.readme import ROOT
from tests.wire.answers import allow, error, names

EXCHANGES = page.exchanges()
QUERIES = [row for row in page.rows(page.PAGE) if re.fullmatch(r"`\?[^`]+`", row[0])]
MESSAGES = [
    (int(status), message.strip("`"), instance)
    for status in re.findall(r"^### (\d{3}) ", page.PAGE, re.MULTILINE)
    for message, _, instance in page.rows(page.section(f"### {status} {ERRORS[int(status)][0]}"))
]
ROUTES = [
    (*request.strip("`").split(), answer.partition(",")[0])
    for request, answer in page.rows(page.section("## Routes"))
]
UNAVAILABLE = [message for status, message, _ in MESSAGES if status == 503]
IMAGE_ID = "5f1c6a52-7f0b-4b52-9d5b-6c6f2f0d8a01"
MORE: Mapping[str, Mapping[str, Any]] = {
    "cirros": {
        "input": {
            "import_from": "https://downloads.example.com/cirros.img",
            "image_properties": {"name": "cirros"},
            "image_id": IMAGE_ID,
        },
        "result": {
            "image_id": IMAGE_ID,
            "name": "cirros",
            "location": f"images/{IMAGE_ID}/0b0d7c56-9d1f-4b0e-8a53-5d0c2a9e7f11-1",
            "size": 21_692_416,
            "virtual_size": 117_440_512,
            "disk_format": "qcow2",
            "container_format": "bare",
            "checksum": hashlib.md5(b"cirros").hexdigest(),
            "os_hash_algo": "sha512",
            "os_hash_value": hashlib.sha512(b"cirros").hexdigest(),
        },
        "image_id": IMAGE_ID,
        "request_id": "req-0b8fcbd0",
        "progress": 100,
        "attempts": 1,
    },
    "debian": {"message": "Source answered 404 Not Found", "attempts": 1},
    "ubuntu": {"progress": 42, "attempts": 1},
}
"""What the page's table of tasks does not say of them."""


@pytest.fixture(autouse=True)
def server(db: None, settings: Any) -> None:
    """The page's users and tasks."""
    settings.ALLOWED_HOSTS = ["images.example.org"]
    for pk, name in [(7, "ada"), (8, "grace"), (9, "linus")]:
        user = User.objects.create(pk=pk, username=name, is_active=name != "linus")
        Token.objects.create(user=user, key=f"{name}-token")
    allow(User.objects.get(username="grace"), "view_all_tasks")
    Task.objects.bulk_create(map(_task, page.rows(page.section("## A first request"))))


def _task(row: list[str]) -> Task:
    name, pk, owner, status, *times = [page.in_our_days(cell.strip("`")) for cell in row]
    created_at, updated_at = map(datetime.fromisoformat, times)
    ends = {"finished_at": updated_at, "expires_at": updated_at + timedelta(hours=48)}
    values = {
        "input": {"import_from": f"https://downloads.example.com/{name}.img"},
        **(ends if status in FINISHED else {}),
        **MORE.get(name, {}),
    }
    return Task(
        id=pk,
        name=name,
        type="import",
        status=status,
        owner=owner,
        user_id=owner,
        created_at=created_at,
        updated_at=updated_at,
        **values,
    )


def ask(request: Request, client: Client | None = None, **environ: Any) -> Any:
    method, path, headers, body = request
    headers = {"X-Auth-Token": "ada-token", "Content-Type": "application/json", **headers}
    return (client or Client(raise_request_exception=False)).generic(
        method,
        page.in_our_days(path),
        body,
        headers.pop("Content-Type"),
        secure=True,
        headers={"Host": "images.example.org", **headers},
        **environ,
    )


@pytest.mark.parametrize(("asked", "answered"), EXCHANGES)
def test_an_example(asked: tuple[str, str], answered: tuple[str, str]) -> None:
    request, expected = page.request(*asked), page.answer(*map(page.in_our_days, answered))

    response = ask(request)

    text = "\n".join(
        [
            f"HTTP/1.1 {response.status_code} {response.reason_phrase}",
            *(f"{name}: {response[name]}" for name in expected.headers),
            "",
            response.content.decode(),
        ]
    )
    if request.method == "POST":
        text = _as_on_the_page(text, response.json(), dict(expected.body))
    assert page.answer("http", text) == expected


def _as_on_the_page(text: str, told: Mapping[str, str], expected: Mapping[str, str]) -> str:
    """The text with the page's id of a new task, and the page's time for now."""
    for key in {"id", "created_at", "updated_at", "expires_at"} & told.keys() & expected.keys():
        text = text.replace(told[key], expected[key])
    return text


@pytest.mark.parametrize(("query", "expected", "remark"), QUERIES)
def test_a_query(query: str, expected: str, remark: str) -> None:
    response = ask(Request("GET", f"/v2/tasks{query.strip('`')}"))

    assert names(response) == page.code([expected])


# What has to be set for an error that a request alone does not provoke, by its message.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "Invalid HTTP_HOST header: 'elsewhere.example'. You may need to add 'elsewhere.example' to "
    "ALLOWED_HOSTS.": {"MIDDLEWARE": []},
    "The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.": {
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 3
    },
    "Tasks belong to an owner, and this request has none.": {
        "IMAGE_TASKS": {"OWNER": "tests.wire.hosts.no_owner"}
    },
    "Tasks of type 'import' no longer run.": {"IMAGE_TASKS": {"HANDLERS": {"import": None}}},
    "The request body is larger than this server accepts.": {"DATA_UPLOAD_MAX_MEMORY_SIZE": 10},
    "The input takes 38 bytes; the limit is 10.": {"IMAGE_TASKS": {"MAX_INPUT_SIZE": 10}},
    "7 has 2 tasks waiting; the limit is 2.": {"IMAGE_TASKS": {"MAX_WAITING_PER_OWNER": 2}},
    "Request was throttled. Expected available in 3 seconds.": {
        "IMAGE_TASKS": {"THROTTLE_CLASSES": ["tests.wire.hosts.Throttle"]}
    },
    "The server could not process the request.": {
        "IMAGE_TASKS": {"OWNER": "tests.wire.hosts.broken_owner"}
    },
}


class Gone(BytesIO):
    """A connection that broke off."""

    def read(self, *args: Any) -> bytes:
        raise OSError


def _list(query: str) -> Any:
    return ask(Request("GET", f"/v2/tasks?{query}"))


def _post(input: str) -> Any:
    return ask(Request("POST", "/v2/tasks", {}, f'{{"type": "import", "input": {input}}}'))


def _reuse_a_key() -> Any:
    for name in ("rocky", "alma"):
        body = (
            f'{{"type": "import", "input": {{"import_from": "https://e.com/"}}, "name": "{name}"}}'
        )
        response = ask(Request("POST", "/v2/tasks", {"Idempotency-Key": "k"}, body))
    return response


def _wait_too_often() -> Any:
    return [_post('{"import_from": "https://example.com/"}') for _ in range(3)][-1]


def _break_off() -> Any:
    return ask(Request("POST", "/v2/tasks", {}, "{}"), **{"wsgi.input": Gone()})


def _write_in_a_session() -> Any:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="ada"))
    browser.cookies["csrftoken"] = "x" * 32
    return ask(Request("POST", "/v2/tasks", {"X-Auth-Token": "", "Referer": page.SERVER}), browser)


IN_WORDS: Mapping[str, Callable[[], Any]] = {
    "`name=in:` with 101 names": lambda: _list(f"name=in:{','.join(map(str, range(101)))}"),
    "Nine times `created_at`": lambda: _list("created_at=gt:2026-03-01&" * 9),
    "A body that is shorter than its `Content-Length`": _break_off,
    "An `input` of a hundred lists in each other": lambda: _post("[" * 100 + "]" * 100),
    "An `input` with a number of 4301 digits": lambda: _post("9" * 4301),
    "A third task where `MAX_WAITING_PER_OWNER` is 2": _wait_too_often,
    "The same key for two names": _reuse_a_key,
    "`POST /v2/tasks` with cookies alone": _write_in_a_session,
}


@pytest.mark.parametrize(
    ("status", "message", "instance"), [row for row in MESSAGES if row[0] != 503]
)
def test_an_error(settings: Any, status: int, message: str, instance: str) -> None:
    for name, value in SETTINGS.get(message, {}).items():
        setattr(settings, name, value)

    response = IN_WORDS[instance]() if instance in IN_WORDS else ask(page.request_in(instance))

    assert error(response) == (status, message)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away() -> None:
    with away():
        response = ask(Request("GET", "/v2/tasks"))

    assert error(response) == (503, UNAVAILABLE[0])
    assert response["Retry-After"]


def test_a_database_that_took_too_long() -> None:
    assert UNAVAILABLE[1:] == [str(KeyInUse()), str(TookTooLong())]


# What the page lists, and what there is


def test_every_route_is_there() -> None:
    patterns = get_resolver("django_image_tasks.urls").url_patterns

    routes = {f"/{pattern.pattern}".replace("<str:pk>", "{id}") for pattern in patterns}
    assert {path for _, path, _ in ROUTES} == routes


@pytest.mark.parametrize(("method", "path", "status"), ROUTES)
def test_a_route(method: str, path: str, status: str) -> None:
    path += "?status=failure" if "/tasks/actions/" in path else ""
    name = {"cancel": "fedora", "retry": "debian"}.get(path.rpartition("/")[2], "cirros")
    body = '{"type": "import", "input": {"import_from": "https://example.com/"}}'

    response = ask(
        Request(method, path.replace("{id}", str(Task.objects.get(name=name).pk)), {}, body)
    )

    assert response.status_code == int(status)


def test_every_field_is_there() -> None:
    fields = page.rows(page.section("## A task"))
    cirros = "0b0d7c56-9d1f-4b0e-8a53-5d0c2a9e7f11"

    whole = ask(Request("GET", f"/v2/tasks/{cirros}")).json()
    [listed] = ask(Request("GET", f"/v2/tasks?id={cirros}")).json()["tasks"]
    assert page.code(row[0] for row in fields) == list(whole)
    assert page.code(row[0] for row in fields if row[2] == "yes") == list(listed)


@pytest.mark.parametrize("name", [*TaskFilterSet.base_filters, "limit", "marker"])
def test_every_parameter_is_there(name: str) -> None:
    assert f"`{name}`" in page.section("## Listing tasks")


def test_every_key_of_an_import_is_there() -> None:
    keys = page.rows(page.section("### The input of an import"))

    assert page.code(row[0] for row in keys) == list(INPUT_SCHEMA["properties"])
    assert page.code(row[0] for row in keys if row[1] == "required") == INPUT_SCHEMA["required"]


def test_every_kind_of_error_is_there() -> None:
    kinds = page.rows(page.section("## Errors").partition("\n### ")[0])

    assert kinds == [[str(code), f"`{key}`", title] for code, (key, title) in ERRORS.items()]


REFUSALS = ["APIException", "InputTooLarge", "InvalidInput", "InvalidTransition", "NotFound"]
REFUSALS += ["ParseError", "PermissionDenied", "RequestTooLarge", "ValidationError", "mismatch"]
# What no client can send, for JSON or an earlier check stands in the way.
OUT_OF_REACH = ["a key is not a string", "{} is not a type of JSON"]
OUT_OF_REACH += ["Task {} is not in a state that allows this."]
OUT_OF_REACH += ["owner: a task cannot be without one."]
OUT_OF_REACH += ["{}: it must be a string of at most {} characters."]


def refusals() -> Iterator[str]:
    """What the code says where it refuses something, with {} for what differs."""
    for file in (ROOT / "django_image_tasks").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in REFUSALS:
                yield from map(_words, node.args[:1])


def _words(argument: ast.expr) -> str:
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


@pytest.mark.parametrize("words", sorted({*refusals()} - {*OUT_OF_REACH}))
def test_every_message_is_there(words: str) -> None:
    pattern = ".*".join(map(re.escape, words.split("{}")))

    assert any(re.search(f"{pattern}$", message) for _, message, _ in MESSAGES)
