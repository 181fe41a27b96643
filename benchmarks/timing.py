"""Medians of calls that take turns, so that whatever disturbs one of them disturbs them all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from statistics import median
from time import monotonic, perf_counter, process_time
from typing import Any, NamedTuple

BLOCKS = 5
ROUNDS = 20
clock = process_time if os.environ.get("BENCHMARK_CPU") else perf_counter
SECONDS = 8.0
"""A block ends after this time, even before it has had all its rounds, once it has had three."""


class Timing(NamedTuple):
    """How long a call takes, in milliseconds."""

    median: float
    blocks: list[float]
    """The median of each block; their spread tells how far to trust the median of all calls."""


def take_turns(
    calls: Mapping[str, Callable[[], Any]], *, quick: bool = False, rounds: int = ROUNDS
) -> dict[str, Timing]:
    rounds = max(3, rounds // 5) if quick else rounds
    for call in calls.values():
        call()
    blocks = [_block(calls, rounds) for _ in range(3 if quick else BLOCKS)]
    return {name: summary([block[name] for block in blocks]) for name in calls}


def summary(blocks: list[list[float]]) -> Timing:
    return Timing(median(time for block in blocks for time in block), list(map(median, blocks)))


def ratio(one: Timing, other: Timing) -> tuple[float, float, float]:
    """Return how many times as long one takes as the other, by the medians, and then the least and
    the most of a block.
    """
    parts = [a / b for a, b in zip(one.blocks, other.blocks, strict=True)]
    return one.median / other.median, min(parts), max(parts)


def milliseconds(call: Callable[[], Any]) -> float:
    """How long the call takes; in another process, it returns that itself."""
    started = clock()
    taken = call()
    return taken if isinstance(taken, float) else (clock() - started) * 1000


def _block(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    ends = monotonic() + SECONDS
    for number in range(rounds):
        if number >= 3 and monotonic() >= ends:
            break
        for name in names[number % len(names) :] + names[: number % len(names)]:
            times[name].append(milliseconds(calls[name]))
    return times
