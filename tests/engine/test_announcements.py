"""The end of a task is told until every receiver has heard of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.dispatch import Signal
from django.utils import timezone

from django_image_tasks import executor
from django_image_tasks.exceptions import InvalidTransition
from django_image_tasks.models import Task
from django_image_tasks.models.task import ANNOUNCEMENTS
from django_image_tasks.signals import task_finished
from django_image_tasks.sweep import purge, sweep
from tests.engine import workload

pytestmark = pytest.mark.django_db(transaction=True)


class Receiver:
    """Raises as often as a test says, and counts how often it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failures = 0

    def __call__(self, task: Task, **kwargs: object) -> None:
        self.told.append(task.status)
        if self.failures:
            self.failures -= 1
            raise ValueError("The host's own row could not be made")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    task_finished.connect(receiver)
    yield receiver
    task_finished.disconnect(receiver)


def let_pause_be_over() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Task.objects.exclude(announce_at=None).update(announce_at=past)


def test_who_hears_of_an_end_is_told_once(
    make_task: Callable[..., Task], receiver: Receiver
) -> None:
    task = make_task()
    executor.run(task.pk)
    let_pause_be_over()

    assert sweep().announced == 0

    task.refresh_from_db()
    assert (receiver.told, task.announce_at) == (["success"], None)


def test_who_raises_is_told_again_after_a_pause(
    make_task: Callable[..., Task], receiver: Receiver
) -> None:
    receiver.failures = 1
    task = make_task()
    executor.run(task.pk)
    assert sweep().announced == 0

    let_pause_be_over()

    assert sweep().announced == 1
    task.refresh_from_db()
    assert (receiver.told, task.announce_at, task.announcements) == (["success"] * 2, None, 2)


def test_each_pause_is_twice_as_long_as_the_one_before(
    make_task: Callable[..., Task], receiver: Receiver
) -> None:
    receiver.failures = 1000
    task = make_task()
    executor.run(task.pk)
    pauses = []
    for _ in range(3):
        task.refresh_from_db()
        pauses.append(round((task.announce_at - timezone.now()).total_seconds(), -1))
        let_pause_be_over()
        sweep()

    assert pauses == [10, 20, 40]


def test_of_two_sweeps_that_have_seen_an_end_one_tells_of_it(
    make_task: Callable[..., Task], receiver: Receiver
) -> None:
    receiver.failures = 1
    task = make_task()
    executor.run(task.pk)
    let_pause_be_over()
    first, second = Task.objects.get(pk=task.pk), Task.objects.get(pk=task.pk)

    first.claim_announcement()

    with pytest.raises(InvalidTransition):
        second.claim_announcement()


def test_a_race_that_is_lost_for_one_end_leaves_the_others_to_the_sweep(
    make_task: Callable[..., Task], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.failures = 2
    first, second = make_task(), make_task()
    for task in (first, second):
        executor.run(task.pk)
    let_pause_be_over()
    claim = Task.claim_announcement

    def claim_second_alone(task: Task) -> None:
        if task == first:
            raise InvalidTransition
        claim(task)

    monkeypatch.setattr(Task, "claim_announcement", claim_second_alone)

    assert sweep().announced == 1

    second.refresh_from_db()
    assert second.announce_at is None


def test_who_always_raises_is_told_ten_times(
    make_task: Callable[..., Task], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.failures = 1000
    task = make_task()
    executor.run(task.pk)
    for _ in range(2 * ANNOUNCEMENTS):
        let_pause_be_over()
        sweep()

    assert len(receiver.told) == ANNOUNCEMENTS == 10
    [record] = [each for each in caplog.records if "end_not_heard" in each.getMessage()]
    assert record.getMessage() == f"end_not_heard task={task.pk} announcements=10"


def test_the_sweep_tells_what_a_worker_did_not_live_to_tell(
    make_task: Callable[..., Task], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Task, "announce_end", lambda task: None)  # as if it was killed before that
        executor.run(make_task().pk)
    assert receiver.told == []

    let_pause_be_over()
    sweep()

    assert receiver.told == ["success"]


def test_a_task_is_not_purged_before_its_end_was_heard(
    make_task: Callable[..., Task], receiver: Receiver, image_tasks: Any
) -> None:
    image_tasks["TASK_TIME_TO_LIVE"] = 0
    receiver.failures = 1
    executor.run(make_task().pk)

    assert purge() == 0
    let_pause_be_over()
    sweep()
    assert purge() + Task.objects.count() <= 1
    assert receiver.told == ["success"] * 2


def test_the_end_of_a_cancelled_task_is_told_too(
    make_task: Callable[..., Task], receiver: Receiver
) -> None:
    make_task().cancel("mia")

    assert receiver.told == ["failure"]


@pytest.fixture
def own_signal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Signal]:
    """The signal of a success that the handler of these tasks has."""
    signal = Signal()
    monkeypatch.setattr(workload.Workload, "succeeded", signal)
    yield signal
    task_finished.disconnect(executor.send_success)


def test_a_handlers_own_signal_tells_of_a_success_until_it_is_heard(
    make_task: Callable[..., Task], own_signal: Signal
) -> None:
    results: list[Any] = []

    def fail_once(task: Task, result: Any, **kwargs: object) -> None:
        results.append(result)
        if len(results) == 1:
            raise ValueError("The host's own row could not be made")

    own_signal.connect(fail_once)
    for do in ("nothing", "fail"):
        executor.run(make_task(input={"do": do}).pk)

    for _ in range(2):
        let_pause_be_over()
        sweep()

    assert results == [{"attempt": 1}] * 2


def test_a_sweep_that_has_run_no_task_knows_the_handlers_own_signal(
    make_task: Callable[..., Task], own_signal: Signal
) -> None:
    results: list[Any] = []
    own_signal.connect(lambda result, **kwargs: results.append(result), weak=False)
    make_task(status="success", result={"a": 1}, announce_at=timezone.now())

    sweep()

    assert results == [{"a": 1}]
