"""Bodies without a ``Content-Length``, as some proxies send them, to servers of both kinds."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import pytest

from tests.docs.readme import ROOT
from tests.requirements import needs

BODY = b'{"type": "import", "input": {"import_from": "https://example.com/"}}'
NO_LENGTH = {"lengthRequired": "Content-Length is required."}
NO_BODY = {"badRequest": "Body expected in request."}
SERVERS = {
    "uvicorn": ["--lifespan=off", "--fd={}", "example_project.asgi:application"],
    "gunicorn": ["--bind=fd://{}", "example_project.wsgi"],
}


MAKE_CALLER = """
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token
user = User.objects.create_superuser("ada")
client = Client()
client.force_login(user)
print(Token.objects.create(user=user).key, client.cookies["sessionid"].value)
"""


class Caller(NamedTuple):
    token: str
    session: str


class Server(NamedTuple):
    port: int
    caller: Caller

    def post(self, path: str, *chunks: bytes, **headers: str) -> Any:
        """Status and answer; of an error the key and the message."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"X-Auth-Token": self.caller.token, "Content-Type": "application/json", **headers}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", path, iter(chunks), headers, encode_chunked=True)
            answer = connection.getresponse()
            found = json.loads(answer.read())
        [(key, value), *more] = found.items()
        return answer.status, found if more else {key: value["message"]}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    database = tmp_path_factory.mktemp("lengths") / "db.sqlite3"
    settings = {"DJANGO_SETTINGS_MODULE": "example_project.settings"}
    return {**os.environ, **settings, "DATABASE_URL": f"sqlite:///{database}"}


@pytest.fixture(scope="module")
def caller(environ: Mapping[str, str]) -> Caller:
    def manage(*arguments: str) -> str:
        command = [sys.executable, "-m", "django", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()

    manage("migrate", "-v0")
    return Caller(*manage("shell", "-v0", "-c", MAKE_CALLER).split())


@contextmanager
def serving(name: str, environ: Mapping[str, str], caller: Caller) -> Iterator[Server]:
    needs(name)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [word.format(number) for word in (name, *SERVERS[name])]
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environ,
            pass_fds=[number],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield Server(listening.getsockname()[1], caller)
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def asgi(environ: Mapping[str, str], caller: Caller) -> Iterator[Server]:
    with serving("uvicorn", environ, caller) as server:
        yield server


@pytest.fixture(scope="module")
def wsgi(environ: Mapping[str, str], caller: Caller) -> Iterator[Server]:
    with serving("gunicorn", environ, caller) as server:
        yield server


def test_asgi_takes_a_body_in_chunks(asgi: Server) -> None:
    status, task = asgi.post("/v2/tasks", BODY[:20], BODY[20:])

    assert (status, task["input"]) == (201, json.loads(BODY)["input"])


def test_asgi_takes_one_of_a_session_which_is_looked_into_for_csrf(asgi: Server) -> None:
    cookie = f"sessionid={asgi.caller.session}; csrftoken={'x' * 32}"

    status, _ = asgi.post("/v2/tasks", BODY, X_Auth_Token="", Cookie=cookie, X_CSRFToken="x" * 32)

    assert status == 201


@pytest.mark.parametrize(
    ("chunks", "content_type", "answer"),
    [
        ([], "application/json", (400, NO_BODY)),
        (
            [b"[]"],
            "application/json",
            (400, {"badRequest": "Unexpected body type. Expected an object."}),
        ),
        (
            [BODY],
            "text/plain",
            (415, {"badMediaType": 'Unsupported media type "text/plain" in request.'}),
        ),
        (
            [b" " * 1_000_000] * 3 + [BODY],
            "application/json",
            (413, {"requestTooLarge": "The request body is larger than this server accepts."}),
        ),
    ],
)
def test_asgi_checks_it_as_any_other(
    asgi: Server, chunks: list[bytes], content_type: str, answer: Any
) -> None:
    assert asgi.post("/v2/tasks", *chunks, Content_Type=content_type) == answer


def test_wsgi_hides_it(wsgi: Server) -> None:
    assert wsgi.post("/v2/tasks", BODY) == (411, NO_LENGTH)


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
@pytest.mark.parametrize("body", [[], [BODY]])
def test_an_action_reads_no_body(
    request: pytest.FixtureRequest, kind: str, body: list[bytes]
) -> None:
    server: Server = request.getfixturevalue(kind)

    answer = server.post("/v2/tasks/actions/cancel?name=none", *body)

    assert answer == (202, {"cancelled": 0, "stopping": 0, "skipped": 0})
