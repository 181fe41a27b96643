from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from django_image_tasks.management.terminal import watch
from django_image_tasks.management.terminal.text import width
from django_image_tasks.models import Task
from tests.edges.commands import Ran, Screen, image_tasks

Make = Callable[..., Task]
Step = Callable[[], object]

NONE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """What happens while the command sleeps; how long it would have slept."""

    def arrange(*steps: Step) -> list[float]:
        slept: list[float] = []
        coming = iter(steps)

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            next(coming)()

        monkeypatch.setattr(watch, "sleep", sleep)
        return slept

    return arrange


@pytest.fixture
def running(make_task: Make) -> Task:
    task = make_task()
    task.start("worker")
    return task


def changes(ran: Ran) -> list[str]:
    """Without the time of day and the id."""
    return ["  ".join(line.split("  ")[2:]) for line in ran.lines]


def test_a_task_is_followed_until_it_succeeds(
    running: Task, meanwhile: Callable[..., list[float]]
) -> None:
    slept = meanwhile(
        lambda: running.record_progress(1_048_576, 4_194_304),
        lambda: None,
        lambda: running.record_progress(4_194_304, 4_194_304),
        lambda: running.succeed({}),
    )
    ran = image_tasks("watch", running.pk)
    assert changes(ran) == [
        "processing  0 %",
        "processing  25 %  1.0 MiB of 4.0 MiB",
        "processing  99 %  4.0 MiB",
        "success  100 %  4.0 MiB",
    ]
    assert {line.split("  ")[1] for line in ran.lines} == {str(running.pk)}
    assert (ran.err, ran.code) == ("", 0)
    assert slept == [0.5] * 4


def test_one_that_fails_says_why(
    make_task: Make, running: Task, meanwhile: Callable[..., Any]
) -> None:
    waiting = make_task()
    meanwhile(lambda: running.fail("Source answered 404 Not Found"), lambda: waiting.cancel("ada"))
    ran = image_tasks("watch", running.pk, waiting.pk)
    assert changes(ran) == [
        "processing  0 %",
        "pending  0 %",
        "failure  0 %  Source answered 404 Not Found",
        "failure  0 %  Cancelled by ada",
    ]
    assert (ran.err, ran.code) == ("2 of 2 tasks failed.", 5)


def test_one_that_is_to_stop(running: Task, meanwhile: Callable[..., Any]) -> None:
    meanwhile(
        lambda: image_tasks("cancel", running.pk),
        lambda: running.refresh_from_db(),
        lambda: running.carry_out_cancel(),
    )
    ran = image_tasks("watch", running.pk, "--interval=2")
    assert changes(ran)[1] == "cancelling  0 %"


def test_it_gives_up_in_time(running: Task, meanwhile: Callable[..., list[float]]) -> None:
    slept = meanwhile()
    ran = image_tasks("watch", running.pk, "--timeout=0")
    assert changes(ran) == ["processing  0 %"]
    assert (ran.err, ran.code) == ("1 of 1 task has not ended in time.", 6)
    assert slept == []


def test_it_never_sleeps_beyond_the_timeout(
    running: Task, meanwhile: Callable[..., list[float]]
) -> None:
    slept = meanwhile(lambda: running.succeed({}))
    image_tasks("watch", running.pk, "--timeout=3", "--interval=60")
    assert 2 < slept[0] <= 3


def test_a_failure_counts_for_more_than_the_time(make_task: Make, running: Task) -> None:
    running.fail("No")
    ran = image_tasks("watch", running.pk, make_task().pk, "--timeout=0")
    assert (ran.err, ran.code) == ("1 of 2 tasks failed.", 5)


def test_ctrl_c_ends_it(running: Task, meanwhile: Callable[..., Any]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    meanwhile(interrupt)
    ran = image_tasks("watch", running.pk)
    assert (ran.err, ran.code) == ("No longer watching. The tasks go on.", 130)
    running.refresh_from_db()
    assert running.status == "processing"


def test_each_look_is_one_query_and_leaves_the_input_alone(
    make_task: Make, meanwhile: Callable[..., Any]
) -> None:
    tasks = [make_task() for _ in range(5)]

    def finish() -> None:
        Task.objects.update(status="success", finished_at=now())

    meanwhile(lambda: None, lambda: None, finish)
    with CaptureQueriesContext(connection) as queries:
        assert image_tasks("watch", *(task.pk for task in tasks)).code == 0
    looks = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(looks) == 1 + 4
    assert not any('"input"' in sql or "`input`" in sql for sql in looks)


def test_what_has_ended_is_not_read_again(
    make_task: Make, running: Task, meanwhile: Callable[..., Any]
) -> None:
    ended = make_task(status="success", finished_at=now())
    meanwhile(lambda: running.succeed({}))
    with CaptureQueriesContext(connection) as queries:
        image_tasks("watch", ended.pk, running.pk)
    last = [query["sql"] for query in queries if query["sql"].startswith("SELECT")][-1]
    assert running.pk.hex in last.replace("-", "")
    assert ended.pk.hex not in last.replace("-", "")


def test_without_ids_the_newest_unfinished_ones(
    make_task: Make, running: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST", 2)
    newer = make_task(created_at=now() + timedelta(seconds=1))
    make_task(created_at=now() - timedelta(days=1))
    make_task(status="success", finished_at=now(), created_at=now() + timedelta(seconds=2))
    ran = image_tasks("watch", "--timeout=0")
    assert [line.split("  ")[1] for line in ran.lines] == [str(newer.pk), str(running.pk)]


def test_nothing_to_watch(db: None) -> None:
    assert image_tasks("watch") == ("", "No task is unfinished.\n", 0)


@pytest.mark.parametrize("pk", ["7", NONE])
def test_no_such_task(running: Task, pk: str) -> None:
    assert image_tasks("watch", running.pk, pk) == ("", f"Could not find task {pk}", 3)


@pytest.mark.parametrize("option", ["--timeout", "--interval"])
@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon"])
def test_what_is_no_time(db: None, option: str, seconds: str) -> None:
    ran = image_tasks("watch", f"{option}={seconds}")
    assert ran.err == f"Error: argument {option}: not a number of seconds: {seconds}"
    assert ran.code == 1


def test_scripts_get_a_line_for_each_change(running: Task, meanwhile: Callable[..., Any]) -> None:
    meanwhile(
        lambda: running.record_progress(1, 4), lambda: None, lambda: running.succeed({"size": 4})
    )
    answers = image_tasks("watch", "--json", running.pk).answers
    assert [(answer["status"], answer["progress"]) for answer in answers] == [
        ("processing", 0),
        ("processing", 25),
        ("success", 100),
    ]
    assert answers[-1]["result"] == {"size": 4}


def test_a_new_task_is_followed(
    db: None, meanwhile: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        task = Task.objects.get()
        task.start("worker")
        task.fail("No such host")

    meanwhile(work)
    ran = image_tasks(
        "create",
        "import",
        "--owner=7",
        "--wait",
        "--json",
        '--input={"import_from": "https://example.com/a"}',
    )
    assert [answer["status"] for answer in ran.answers] == ["pending", "failure"]
    assert (ran.err, ran.code) == ("1 of 1 task failed.", 5)


def frames(ran: Ran) -> list[list[str]]:
    """The lines of each drawing, without the sequences that move the cursor."""
    drawn = re.split(r"\x1b\[\d+A\x1b\[J", ran.out)
    return [re.sub(r"\x1b\[\?7[lh]", "", frame).splitlines() for frame in drawn]


@pytest.mark.parametrize(
    ("columns", "facts"), [(80, "0:01:0"), (140, "0:01:0.  3.0 MiB of 4.0 MiB  4[78].. KiB/s")]
)
def test_a_terminal_gets_a_bar(
    make_task: Make, meanwhile: Callable[..., Any], screen: Screen, columns: int, facts: str
) -> None:
    task = make_task(name="Debian " + "x" * 99)
    task.start("worker")
    Task.objects.update(started_at=now() - timedelta(seconds=64))
    screen.size(columns)
    meanwhile(lambda: task.record_progress(3 << 20, 4 << 20), lambda: task.fail("No such host"))
    first, second, (told, last) = frames(image_tasks("watch", task.pk, stdout=screen))
    assert [width(line) for line in (*first, *second)] == [columns] * 2
    assert re.search(rf"^{str(task.pk)[:8]}  Debian x+…  processing  ─{{12,}}    0 % ", first[0])
    assert "x" * 12 in first[0]
    assert re.search(rf"  processing  ━{{4,}}─{{2,}}   75 %  {facts}", second[0])
    assert told == f"{task.pk} failure: No such host"
    assert last.endswith("…  failure  No such host")


def test_tasks_for_which_a_terminal_has_no_room_are_left_out_once_they_have_ended(
    make_task: Make, screen: Screen
) -> None:
    ended = [make_task(name="ended", status="success", finished_at=now()) for _ in range(5)]
    running = make_task(name="running")
    screen.size(80, lines=4)
    ran = image_tasks("watch", "--timeout=0", *(t.pk for t in (*ended, running)), stdout=screen)
    [bars] = frames(ran)
    assert [line.split()[1] for line in bars] == ["running", "ended", "ended"]
