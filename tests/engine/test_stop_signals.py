"""Signals that arrive while a task runs are heard, and then do what they would have done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from django_image_tasks import stop_signals


@pytest.fixture(autouse=True)
def handlers_again() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in stop_signals.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that are sent to this process, which would end it."""
    sent: list[int] = []
    monkeypatch.setattr(stop_signals.os, "kill", lambda pid, number: sent.append(number))
    return sent


def test_a_signal_that_would_have_ended_the_process_does_so_behind_the_block(
    sent: list[int],
) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    told: list[bool] = []

    with stop_signals.heard(lambda: told.append(True)):
        signal.raise_signal(signal.SIGTERM)
        assert (told, sent) == ([True], [])

    assert sent == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_so(sent: list[int]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    told: list[bool] = []

    with stop_signals.heard(lambda: told.append(True)):
        signal.raise_signal(signal.SIGTERM)

    assert (told, sent) == ([], [])


def test_a_handler_that_was_set_in_the_block_stays(sent: list[int]) -> None:
    def another(number: int, frame: Any) -> None:
        pass

    with stop_signals.heard(lambda: None):
        signal.signal(signal.SIGTERM, another)

    assert signal.getsignal(signal.SIGTERM) is another
