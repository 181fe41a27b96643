"""Many tasks at once: what one of them is done to, and what the rest cannot spoil."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from django_image_tasks import bulk
from django_image_tasks.exceptions import InvalidInput, InvalidTransition
from django_image_tasks.models import Task
from django_image_tasks.services import cancel_task, retry_task
from django_image_tasks.signals import task_finished
from tests.engine.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TOLD_BY_WHOM = {"updated_at", "finished_at", "expires_at", "created_at", "id", "retry_of", "turn"}


@pytest.fixture(autouse=True)
def nobody_works(image_tasks: dict[str, Any]) -> None:
    image_tasks["ENGINE"] = "tests.engine.workload"


def ids(*tasks: Task) -> list[Any]:
    return [task.pk for task in tasks]


def values(task: Task) -> dict[str, Any]:
    row = Task.objects.filter(pk=task.pk).values().get()
    return {name: value for name, value in row.items() if name not in TOLD_BY_WHOM}


@pytest.fixture
def finishes() -> Iterator[list[Task]]:
    heard: list[Task] = []

    def hear(task: Task, **kwargs: Any) -> None:
        heard.append(task)
        if task.name == "unheard":
            raise ZeroDivisionError

    task_finished.connect(hear)
    yield heard
    task_finished.disconnect(hear)


def test_the_rows_are_as_if_each_had_been_cancelled_alone(make_task: Callable[..., Task]) -> None:
    one, many = make_task(), make_task()

    cancel_task(Task.objects.get(pk=one.pk), "ada")
    [step] = bulk.cancel_tasks(ids(many), "ada")

    assert values(one) == values(many)
    assert (ids(*step.ended), step.asked) == (ids(many), [])


def test_who_has_asked_first_to_cancel_a_running_task_stays_the_asker(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()
    task.start("worker")
    task.cancel("mia")

    [step] = bulk.cancel_tasks(ids(task), "ada")

    task.refresh_from_db()
    assert (task.cancel_requested_by, step.asked) == ("mia", [task])


def test_of_who_cancels_as_much_is_kept_as_the_column_holds(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()
    task.start("worker")

    [_] = bulk.cancel_tasks(ids(task), "\0" + "x" * 300)

    task.refresh_from_db()
    assert task.cancel_requested_by == "x" * 255


def test_the_rows_are_as_if_each_had_been_retried_alone(make_task: Callable[..., Task]) -> None:
    one, many = make_task(status="failure"), make_task(status="failure")

    alone = retry_task(one, user_id="7", request_id="req-1")
    [[retry]] = bulk.retry_tasks(ids(many), user_id="7", request_id="req-1")

    assert values(alone) == values(retry.task)
    assert (retry.failed, retry.task.retry_of) == (many, many.pk)


def test_each_end_is_told_and_told_again_if_nobody_has_heard(
    make_task: Callable[..., Task], finishes: list[Task]
) -> None:
    tasks = [make_task(name=name) for name in ("heard", "unheard", "heard")]

    [*bulk.cancel_tasks(ids(*tasks), "ada")]

    assert {*finishes} == {*tasks}
    assert all(task.status == "failure" and task.input is not None for task in finishes)
    rows = Task.objects.values_list("name", "announcements", "announce_at")
    assert {(name, count, bool(at)) for name, count, at in rows} == {
        ("heard", 1, False),
        ("unheard", 1, True),
    }


class Broker:
    """An engine that takes two messages, and then no more."""

    heard: list[str] = []


def enqueue(task_id: str) -> None:
    Broker.heard.append(task_id)
    if len(Broker.heard) > 2:
        raise ConnectionError("away")


def test_a_broker_that_failed_is_not_asked_again(
    make_task: Callable[..., Task], image_tasks: dict[str, Any]
) -> None:
    Broker.heard.clear()
    image_tasks["ENGINE"] = "tests.engine.test_bulk"
    failed = [make_task(status="failure") for _ in range(bulk.RETRIED_IN_A_STEP + 5)]

    steps = [*bulk.retry_tasks(ids(*failed))]

    assert [len(step) for step in steps] == [bulk.RETRIED_IN_A_STEP, 5]
    assert len(Broker.heard) == 3
    assert Task.objects.waiting().count() == len(failed)


def test_the_owners_take_turns(make_task: Callable[..., Task]) -> None:
    failed = [make_task(status="failure", owner=owner) for owner in "aaab"]

    [*bulk.retry_tasks(ids(*reversed(failed)))]

    waiting = [(task.owner, task.retry_of) for task in Task.objects.waiting()]
    assert waiting == [(f.owner, f.pk) for f in (failed[0], failed[3], failed[1], failed[2])]


def test_no_owner_gets_more_waiting_tasks_than_the_limit(
    make_task: Callable[..., Task], image_tasks: dict[str, Any]
) -> None:
    image_tasks["MAX_WAITING_PER_OWNER"] = 3
    failed = [make_task(status="failure", owner=owner) for owner in "aaaabbb"]
    make_task(owner="a")

    [step] = bulk.retry_tasks(ids(*failed))

    assert sorted(retry.task.owner for retry in step) == [*"aabbb"]


def only_two(task: Task) -> None:
    if Task.objects.filter(status="pending").count() == 2:
        raise InvalidInput("Two are enough.")


def test_a_validator_sees_each_task_that_it_let_through(
    make_task: Callable[..., Task], image_tasks: dict[str, Any]
) -> None:
    image_tasks["TASK_VALIDATOR"] = "tests.engine.test_bulk.only_two"
    failed = [make_task(status="failure") for _ in range(4)]

    [step] = bulk.retry_tasks(ids(*failed))

    assert (len(step), Task.objects.waiting().count()) == (2, 2)


def test_what_no_longer_runs_is_left_out(make_task: Callable[..., Task]) -> None:
    assert [*bulk.retry_tasks(ids(make_task("retired", status="failure")))] == [[]]


@pytest.fixture
def chain(make_task: Callable[..., Task]) -> list[Task]:
    """A failed task, its failed retry, and the failed retry of that one."""
    first = make_task(status="failure")
    second = make_task(status="failure", retry_of=first.pk)
    return [first, second, make_task(status="failure", retry_of=second.pk)]


def test_of_a_chain_of_retries_the_last_is_retried(chain: list[Task]) -> None:
    [step] = bulk.retry_tasks(ids(*chain))

    assert [retry.failed for retry in step] == [chain[-1]]
    assert [*bulk.retry_tasks(ids(*chain))] == [[]]
    assert [*bulk.retry_tasks(ids(chain[0]))] == [[]]


def test_a_chain_is_followed_for_so_many_links_only(
    chain: list[Task], make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_task(retry_of=chain[-1].pk)
    assert [*bulk.retry_tasks(ids(chain[0]))] == [[]]
    monkeypatch.setattr(bulk, "LINKS", 2)

    [step] = bulk.retry_tasks(ids(chain[0]))

    assert [retry.failed for retry in step] == [chain[0]]


def test_a_task_whose_retries_have_failed_is_retried_if_it_alone_is_asked_for(
    chain: list[Task],
) -> None:
    [step] = bulk.retry_tasks(ids(chain[0]))

    assert [retry.failed for retry in step] == [chain[0]]


def test_every_link_of_a_chain_is_retried_if_that_is_asked_for(chain: list[Task]) -> None:
    [step] = bulk.retry_tasks(ids(*chain), again=True)

    assert len(step) == 3


@pytest.mark.parametrize("round", range(5))
def test_two_who_retry_the_same_make_one_task_of_each(
    make_task: Callable[..., Task], round: int
) -> None:
    failed = [make_task(status="failure") for _ in range(20)]

    def retry(order: int) -> int:
        return sum(map(len, bulk.retry_tasks(ids(*failed[::order]))))

    counts = at_once(lambda: retry(1), lambda: retry(-1))

    assert (sum(counts), Task.objects.filter(status="pending").count()) == (20, 20)


@pytest.mark.parametrize("round", range(5))
def test_a_cancel_of_many_against_a_worker(make_task: Callable[..., Task], round: int) -> None:
    tasks = [make_task() for _ in range(20)]

    def start_each() -> None:
        for task in Task.objects.order_by("pk"):
            with suppress(InvalidTransition):
                task.start("worker")

    [steps, _] = at_once(lambda: [*bulk.cancel_tasks(ids(*tasks), "ada")], start_each)

    [step] = steps
    assert len(step.ended) + len(step.asked) == 20
    assert Task.objects.filter(status="failure").count() == len(step.ended)
    assert Task.objects.filter(status="processing", cancel_requested_by="ada").count() == len(
        step.asked
    )
