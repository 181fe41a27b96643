"""``Prefer: wait`` (docs/reference/http.md, "Waiting for the end")."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.db.backends.signals import connection_created
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from django_image_tasks import asgi, lookout
from django_image_tasks.asgi import WaitingApplication, get_asgi_application
from django_image_tasks.models import Task
from django_image_tasks.preference import KEY, seconds_of
from tests.databases import away
from tests.wire.waiting import Caller, Requests, in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMAGE_TASKS = {"MAX_WAIT": 20}
    monkeypatch.setattr(lookout, "PAUSE", 0.1)


@pytest.fixture
def task(make_task: Callable[..., Task]) -> Task:
    return make_task()


@pytest.fixture
def path(task: Task) -> str:
    return f"/v2/tasks/{task.pk}"


@pytest.fixture
def caller(user: User) -> Caller:
    return Caller(get_asgi_application(), Token.objects.create(user=user).key)


def while_they_wait(*changes: Any, asking: Any) -> Any:
    """The answers, if all come soon after the last of these changes, half a second apart."""

    async def scenario() -> Any:
        answers = asyncio.gather(*asking)
        for change in changes:
            await asyncio.sleep(0.5)
            assert not answers.done()
            await in_thread(change)
        return await asyncio.wait_for(answers, 5)

    return asyncio.run(scenario())


def timed(asking: Any) -> tuple[Any, float]:
    started = monotonic()
    return asyncio.run(asyncio.wait_for(asking, 15)), monotonic() - started


def start(task: Task) -> Callable[[], None]:
    return lambda: task.start("worker")


def test_the_answer_comes_when_the_task_has_ended(caller: Caller, task: Task, path: str) -> None:
    changes = [start(task), lambda: task.record_progress(1, 2), lambda: task.succeed({})]

    with Requests() as requests:
        [answer] = while_they_wait(*changes, asking=[caller.get(path, "wait=20")])

    assert requests.begun == 2  # one that waited, and one that answers
    assert answer.json()["status"] == "success"
    assert answer.headers["preference-applied"] == "wait=20"
    assert "retry-after" not in answer.headers


def test_the_answer_comes_when_the_time_is_up(caller: Caller, path: str) -> None:
    answer, seconds = timed(caller.get(path, "wait=1"))

    assert 1 <= seconds < 3
    assert answer.json()["status"] == "pending"
    assert (answer.headers["preference-applied"], answer.headers["retry-after"]) == ("wait=1", "1")


def test_who_has_waited_leaves_nothing_behind(caller: Caller, path: str) -> None:
    async def scenario() -> set[Any]:
        await caller.get(path, "wait=1")
        await asyncio.sleep(0.5)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(scenario()) == set()


@pytest.mark.parametrize(("method", "seconds"), [("GET", 5), ("HEAD", 0), ("POST", 0)])
def test_only_who_gets_waits(method: str, seconds: int) -> None:
    scope = {"type": "http", "method": method, "headers": [(b"prefer", b"wait=5")]}

    assert asgi._seconds(scope) == seconds


def test_no_client_waits_longer_than_the_setting(caller: Caller, path: str, settings: Any) -> None:
    settings.IMAGE_TASKS = {"MAX_WAIT": 1.9}

    answer, seconds = timed(caller.get(path, "wait=86400"))

    assert 1 <= seconds < 3
    assert answer.headers["preference-applied"] == "wait=1"


def test_a_change_is_enough_for_who_has_seen_the_task(
    caller: Caller, task: Task, path: str
) -> None:
    tag = timed(caller.get(path))[0].headers["etag"]

    [answer] = while_they_wait(start(task), asking=[caller.get(path, "wait=20", if_none_match=tag)])

    assert answer.json()["status"] == "processing"
    assert answer.headers["preference-applied"] == "wait=20"


def test_without_a_change_the_tag_still_holds(caller: Caller, path: str) -> None:
    tag = timed(caller.get(path))[0].headers["etag"]

    with Requests() as requests:
        answer, seconds = timed(caller.get(path, "wait=1", if_none_match=tag))

    assert requests.begun == 2
    assert (answer.status, answer.content) == (304, b"")
    assert answer.headers["preference-applied"] == "wait=1"
    assert seconds >= 1


@pytest.mark.parametrize("tag", ["", '"another"'])
def test_what_has_ended_or_is_new_is_answered_at_once(
    caller: Caller, task: Task, path: str, tag: str
) -> None:
    if not tag:
        task.cancel("ada")

    answer, seconds = timed(caller.get(path, "wait=20", if_none_match=tag))

    assert answer.status == 200
    assert answer.headers["preference-applied"] == "wait=20"
    assert seconds < 5


@pytest.mark.parametrize("prefer", ["wait=x", "wait=-1", "wait", "wait=0", "respond-async", '"'])
def test_what_does_not_ask_to_wait_is_answered_at_once(
    caller: Caller, path: str, prefer: str
) -> None:
    answer, seconds = timed(caller.get(path, prefer))

    assert (answer.status, "preference-applied" in answer.headers) == (200, False)
    assert seconds < 5


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=10", 10),
        ('respond-async, WAIT = "10"; foo=bar', 10),
        ("wait=10, wait=20", 10),
        ('a="b, wait=5", wait=10', 10),
        ("wait=9999999999", 0),
        ("wait=١", 0),
        ("wait=1.5", 0),
        ("waiting=5", 0),
        ("", 0),
    ],
)
def test_the_header_is_read_as_rfc_7240_says(prefer: str, seconds: int) -> None:
    assert seconds_of(prefer) == seconds


def test_only_a_server_that_can_wait_cheaply_waits(
    api: APIClient, caller: Caller, path: str, settings: Any
) -> None:
    assert "Preference-Applied" not in api.get(path, headers={"Prefer": "wait=20"})

    settings.IMAGE_TASKS = {}
    answer, seconds = timed(caller.get(path, "wait=20"))
    assert "preference-applied" not in answer.headers
    assert seconds < 5


@pytest.mark.parametrize("path", ["/v2/tasks", "/v2/schemas/task", "/versions", "/nowhere"])
def test_nothing_else_waits(caller: Caller, path: str) -> None:
    answer, seconds = timed(caller.get(path, "wait=20"))

    assert "preference-applied" not in answer.headers
    assert seconds < 5


@pytest.mark.parametrize("tag", ["", "*"])
def test_another_owner_learns_nothing_by_waiting(caller: Caller, path: str, tag: str) -> None:
    """Somebody else's task is told of as one that there is not, and as soon."""
    bob = Caller(caller.application, Token.objects.create(user=User.objects.create_user("bob")).key)
    none = "/v2/tasks/00000000-0000-4000-8000-000000000000"

    (theirs, seconds), (nobodys, _) = [
        timed(bob.get(asked, "wait=20", if_none_match=tag, x_openstack_request_id="x"))
        for asked in (path, none)
    ]

    assert (theirs.status, nobodys.status) == (404, 404)
    assert theirs.headers == {**nobodys.headers, "content-length": theirs.headers["content-length"]}
    assert seconds < 5


def test_the_rights_are_those_of_now(caller: Caller, task: Task, path: str) -> None:
    def revoke() -> None:
        Token.objects.all().delete()
        task.cancel("ada")

    [answer] = while_they_wait(revoke, asking=[caller.get(path, "wait=20")])

    assert answer.status == 401
    assert b"pending" not in answer.content


def test_a_task_that_is_gone_is_not_waited_for(caller: Caller, task: Task, path: str) -> None:
    [answer] = while_they_wait(task.delete, asking=[caller.get(path, "wait=20")])

    assert answer.status == 404


@pytest.mark.parametrize("atomic", [False, True], ids=["autocommit", "atomic"])
@pytest.mark.parametrize("middleware", [[], ["tests.wire.hosts.form_reading_middleware"]])
def test_waiting_takes_no_thread_no_connection_and_one_query_a_look(
    user: User,
    task: Task,
    path: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    atomic: bool,
    middleware: list[str],
) -> None:
    """Whatever the project has set: while they wait, there is no request."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *middleware]
    caller = Caller(get_asgi_application(), Token.objects.create(user=user).key)
    looks: list[str] = []
    others = {*threading.enumerate()}

    def new_threads() -> set[threading.Thread]:
        return {*threading.enumerate()} - others

    def count(execute: Any, sql: Any, *args: Any) -> Any:
        if "updated_at" in sql:
            looks.append(sql)
        return execute(sql, *args)

    def count_on(connection: Any, **kwargs: Any) -> None:
        if count not in connection.execute_wrappers:
            connection.execute_wrappers.append(count)

    with Requests() as requests:

        def see() -> None:
            ends = monotonic() + 15
            # Two of the new threads are that of the looks, and this one.
            while (requests.begun, requests.open) != (20, 0) or len(new_threads()) > 2:
                assert monotonic() < ends, (requests.begun, requests.open, new_threads())
                sleep(0.1)
            looks.clear()
            sleep(1)
            assert 1 <= len(looks) <= 10
            task.cancel("ada")

        connection_created.connect(count_on)
        answers = while_they_wait(see, asking=[caller.get(path, "wait=20") for _ in range(20)])
        connection_created.disconnect(count_on)

    assert {answer.json()["status"] for answer in answers} == {"failure"}
    assert requests.begun == 40


def test_nobody_is_waited_for_who_has_hung_up(caller: Caller, path: str) -> None:
    async def scenario() -> None:
        asking = asyncio.ensure_future(caller.get(path, "wait=20"))
        await asyncio.sleep(0.5)
        caller.has_hung_up = True
        assert await asking is None
        await asyncio.sleep(0.5)
        # While the server goes on: its end would end the looks, too.
        assert not [t for t in threading.enumerate() if t.name.startswith("image-tasks-lookout")]

    with Requests() as requests:
        asyncio.run(scenario())

    assert (requests.begun, requests.open) == (1, 0)


def test_the_looks_begin_again_when_they_had_ended(
    caller: Caller, make_task: Callable[..., Task]
) -> None:
    async def scenario() -> None:
        for task in tasks:
            asking = asyncio.ensure_future(caller.get(f"/v2/tasks/{task.pk}", "wait=20"))
            await asyncio.sleep(0.5)
            await in_thread(task.cancel, "ada")
            assert (await asyncio.wait_for(asking, 5)).json()["status"] == "failure"
            await asyncio.sleep(0.5)

    tasks = [make_task(), make_task()]
    asyncio.run(scenario())


def test_who_has_hung_up_at_the_moment_of_the_end_is_told_nothing(task: Task) -> None:
    async def scenario() -> None:
        looks = lookout.Lookout()
        waiting = asyncio.ensure_future(looks.wait(task.pk, None))
        await asyncio.sleep(0)
        waiting.cancel()
        looks._tell({})
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scenario())


def test_no_query_has_more_ids_than_a_database_takes(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "MOST", 2)
    tasks = {make_task().pk for _ in range(3)}
    numbers: list[int] = []

    def count(execute: Any, sql: Any, params: Any, *args: Any) -> Any:
        numbers.append(len(params))
        return execute(sql, params, *args)

    with connection.execute_wrapper(count):
        states = lookout._states_of(tasks)

    assert states
    assert states.keys() == tasks
    assert numbers == [2, 1]


def test_a_database_that_is_away_for_a_while_is_waited_for(
    caller: Caller,
    task: Task,
    path: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first look, which begins with a new connection, comes when there is no database.
    monkeypatch.setattr(lookout, "PAUSE", 1)

    def lose_database() -> None:
        with away():
            sleep(1.5)

    async def scenario() -> Any:
        asking = asyncio.ensure_future(caller.get(path, "wait=20"))
        await asyncio.sleep(0.5)
        await in_thread(lose_database)
        await in_thread(task.cancel, "ada")
        return await asking

    assert asyncio.run(scenario()).json()["status"] == "failure"
    assert "lookout_failed" in caplog.text


def test_the_look_behind_a_failed_one_has_a_connection_of_its_own(
    caller: Caller, task: Task, path: str
) -> None:
    """That of the failed one may be broken for good."""
    opened: list[Any] = []
    failed: list[None] = []

    def fail(execute: Any, *args: Any) -> Any:
        if not failed:
            failed.append(None)
            raise OperationalError("server closed the connection unexpectedly")
        return execute(*args)

    def note(connection: Any, **kwargs: Any) -> None:
        if threading.current_thread().name.startswith("image-tasks-lookout"):
            opened.append(connection)
            connection.execute_wrappers = [fail]

    connection_created.connect(note)
    try:
        while_they_wait(lambda: task.cancel("ada"), asking=[caller.get(path, "wait=5")])
    finally:
        connection_created.disconnect(note)

    assert len(opened) == 2
    assert opened[0].connection is None


def test_so_many_requests_are_asked_again_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand may have waited for the same task."""
    monkeypatch.setattr(asgi, "MOST_AT_ONCE", 2)
    waiting: set[str] = set()
    numbers = {"at work": 0, "most": 0}

    class Lookout:
        async def wait(self, *awaited: Any) -> None:
            await asyncio.sleep(0.1)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["path"] not in waiting:  # for the first time
            waiting.add(scope["path"])
            scope[KEY].task = scope["path"]
        else:
            numbers["at work"] += 1
            numbers["most"] = max(numbers["most"], numbers["at work"])
            await asyncio.sleep(0.05)
            numbers["at work"] -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def scenario() -> Any:
        caller = Caller(WaitingApplication(application, Lookout()), "token")
        asking = (caller.get(f"/{number}", "wait=5") for number in range(6))
        return await asyncio.gather(*asking)

    assert len(asyncio.run(scenario())) == 6
    assert numbers["most"] == 2
