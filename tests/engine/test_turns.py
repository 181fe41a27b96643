"""Whose task is started next, and how many of one owner's may run and wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_image_tasks import claims, executor
from django_image_tasks.exceptions import InvalidTransition, TooManyWaiting
from django_image_tasks.limits import OwnerLimits
from django_image_tasks.models import Task
from django_image_tasks.services import create_task, retry_task
from tests.big_table import ANALYZE, rows_read
from tests.engine import workload

pytestmark = pytest.mark.django_db


def create(owner: str, **input: Any) -> Task:
    return create_task("workload", input, owner=owner)


def started() -> list[str]:
    """The owners in the order in which their tasks are started, until nothing is due."""
    owners = []
    while task := claims.claim_next(timedelta(seconds=30)):
        owners.append(task.owner)
    return owners


def limits_by_owner(owner: str) -> OwnerLimits:
    return OwnerLimits(running=2) if owner == "b" else OwnerLimits()


def test_an_owners_tasks_are_started_in_the_order_of_their_creation() -> None:
    tasks = [create("a") for _ in range(5)]

    claimed = [claims.claim_next(timedelta(seconds=30)) for _ in tasks]

    assert claimed == tasks


def test_behind_many_tasks_of_one_owner_anothers_is_started_second() -> None:
    for _ in range(50):
        create("a")
    create("b")

    assert started()[:3] == ["a", "b", "a"]


def test_twenty_owners_have_the_same_share_whatever_they_queued() -> None:
    for number in range(20):
        for _ in range(5 + number):
            create(f"owner {number}")

    first = started()[:100]

    assert {first.count(f"owner {number}") for number in range(20)} == {5}


def test_who_comes_late_does_not_make_up_for_the_time_before() -> None:
    for _ in range(10):
        create("a")
    for _ in range(5):
        claims.claim_next(timedelta(seconds=30))
    for _ in range(5):
        create("b")

    assert all(one != other for one, other in pairwise(started()))


def test_what_waits_for_another_attempt_takes_its_turn_when_it_is_due() -> None:
    task = create("a", do="fail_once")
    executor.run(task.pk)
    create("a")
    assert started() == ["a"]
    assert claims.claim_next(timedelta(seconds=30)) is None

    past = timezone.now() - timedelta(seconds=1)
    Task.objects.filter(pk=task.pk).update(available_at=past, lease_expires_at=past)

    again = claims.claim_next(timedelta(seconds=30))
    assert again is not None
    assert (again.pk, again.attempts) == (task.pk, 2)


def test_a_claim_gives_so_many_turns_and_no_more(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CLAIMS", 2)
    for _ in range(3):
        make_task(lease_expires_at=timezone.now())

    assert claims.give_turns() == 2


def test_a_turn_that_another_worker_has_given_keeps_nobody_from_theirs(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [make_task(lease_expires_at=timezone.now()) for _ in range(2)]
    wait_for_turn = Task.wait_for_turn

    def wait_if_second(task: Task) -> None:
        if task == first:
            raise InvalidTransition
        wait_for_turn(task)

    monkeypatch.setattr(Task, "wait_for_turn", wait_if_second)

    assert claims.give_turns() == 1
    assert Task.objects.get(pk=second.pk).turn is not None


def test_a_task_that_another_worker_has_started_is_left_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, next_due = create("a"), create("a"), claims.next_due
    seen_before = iter([Task.objects.get(pk=first.pk)])
    first.start("another")
    monkeypatch.setattr(
        claims, "next_due", lambda *args: next(seen_before, None) or next_due(*args)
    )

    assert claims.claim_next(timedelta(seconds=30)) == second


def test_a_task_that_is_handed_over_is_started_first() -> None:
    first, _, _ = create("a"), create("b"), create("a")
    claimed = claims.claim_next(timedelta(seconds=30))
    assert claimed == first

    claimed.hand_over()

    again = claims.claim_next(timedelta(seconds=30))
    assert again == first
    assert (again.attempts, again.failed_attempts) == (2, 0)


def test_ten_hand_overs_cost_no_attempt() -> None:
    task = create("a")
    for _ in range(10):
        claimed = claims.claim_next(timedelta(seconds=30))
        assert claimed is not None
        claimed.hand_over()

    executor.run_next()

    task.refresh_from_db()
    assert (task.status, task.attempts, task.failed_attempts) == ("success", 11, 0)


def test_hand_overs_leave_a_task_all_its_attempts() -> None:
    task = create("a", do="fail_always")
    for _ in range(5):
        claimed = claims.claim_next(timedelta(seconds=30))
        assert claimed is not None
        claimed.hand_over()

    executor.run_next()

    task.refresh_from_db()
    assert (task.status, task.attempts, task.failed_attempts) == ("pending", 6, 1)


def test_a_type_that_this_worker_cannot_import_is_left_to_another(image_tasks: Any) -> None:
    image_tasks["HANDLERS"]["newer"] = "tests.engine.workload.Workload"
    newer = create_task("newer", {}, owner="a")
    image_tasks["HANDLERS"]["newer"] = "tests.engine.workload.NotThereYet"
    task = create("b")

    assert started() == ["b"]

    newer.refresh_from_db()
    task.refresh_from_db()
    assert (newer.status, newer.attempts, task.status) == ("pending", 0, "processing")


def test_only_so_many_tasks_of_an_owner_run_at_a_time(image_tasks: Any) -> None:
    image_tasks["MAX_RUNNING_PER_OWNER"] = 2
    for _ in range(4):
        create("a")
    create("b")

    assert started() == ["a", "b", "a"]

    Task.objects.filter(owner="a", status="processing").first().succeed({})
    assert started() == ["a"]


def test_an_owner_at_the_limit_keeps_nobody_behind_them_waiting(image_tasks: Any) -> None:
    image_tasks["MAX_RUNNING_PER_OWNER"] = 1
    create("a")
    create("a")
    assert started() == ["a"]
    create("b")

    assert started() == ["b"]


def test_a_plan_of_the_projects_own(image_tasks: Any) -> None:
    image_tasks["OWNER_LIMITS"] = "tests.engine.test_turns.limits_by_owner"
    for owner in "aaabbb":
        create(owner)

    assert sorted(started()) == ["a", "a", "a", "b", "b"]


def test_only_a_ticket_of_the_sweep_is_passed_on(image_tasks: Any) -> None:
    image_tasks["ENGINE"] = "tests.engine.workload"
    for _ in range(3):
        create("a")

    executor.run_next()
    assert workload.published == []
    executor.run_next(goes_on=True)
    assert workload.published == ["next"]
    executor.run_next(goes_on=True)
    assert workload.published == ["next"]  # as nothing waits any more


def test_who_makes_room_for_an_owner_at_the_limit_has_the_next_task_run(image_tasks: Any) -> None:
    """Its own ticket may have been used up when no task of the owner might start."""
    image_tasks |= {"ENGINE": "tests.engine.workload", "MAX_RUNNING_PER_OWNER": 1}
    create("a")
    waiting = create("a")

    executor.run_next()
    assert workload.published == [str(waiting.pk)]
    executor.run_next()
    assert workload.published == [str(waiting.pk)]  # as nothing waits any more


def test_an_owner_with_too_many_waiting_tasks_gets_no_further_one(image_tasks: Any) -> None:
    failed = create("a", do="fail")
    executor.run(failed.pk)
    failed.refresh_from_db()
    image_tasks["MAX_WAITING_PER_OWNER"] = 2
    create("a")
    create("a")
    create("b")

    for make in (lambda: create("a"), lambda: retry_task(failed)):
        with pytest.raises(TooManyWaiting, match=r"^a has 2 tasks waiting; the limit is 2\.$"):
            make()

    claims.claim_next(timedelta(seconds=30))
    create("a")


def test_the_api_answers_429(
    image_tasks: Any, client: Any, django_user_model: Any, make_task: Callable[..., Task]
) -> None:
    image_tasks["MAX_WAITING_PER_OWNER"] = 1
    user = django_user_model.objects.create_user("mia")
    client.force_login(user)
    make_task(owner=str(user.pk))

    response = client.post(
        "/v2/tasks", {"type": "workload", "input": {}}, content_type="application/json"
    )

    assert (response.status_code, response["Retry-After"]) == (429, "30")
    message = f"{user.pk} has 1 tasks waiting; the limit is 1."
    assert response.json()["overLimit"]["message"] == message


def test_a_claim_costs_as_many_queries_behind_a_thousand_tasks_as_behind_one() -> None:
    numbers = []
    for count in (1, 1000):
        Task.objects.bulk_create(
            Task(type="workload", owner="a", turn=turn, lease_expires_at=None)
            for turn in range(count)
        )
        with CaptureQueriesContext(connection) as queries:
            claims.claim_next(timedelta(seconds=30))
        numbers.append(len(queries))

    assert numbers[0] == numbers[1]


# MariaDB's ANALYZE commits.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_analyzed", [False, True])
def test_a_turn_is_given_and_found_without_reading_what_waits(is_analyzed: bool) -> None:
    Task.objects.bulk_create(
        Task(type="workload", owner=owner, turn=turn, lease_expires_at=None)
        for turn in range(1000)
        for owner in "abc"
    )
    if is_analyzed or connection.vendor == "postgresql":  # which gathers statistics by itself
        with connection.cursor() as cursor:
            cursor.execute(ANALYZE.get(connection.vendor, "ANALYZE"))
    with CaptureQueriesContext(connection) as queries:
        assert Task.objects.next_turn("a") == 1000
        [task] = Task.objects.next_waiting(["workload"])

    assert task.turn == 0
    assert all(rows_read(query["sql"]) < 10 for query in queries)
