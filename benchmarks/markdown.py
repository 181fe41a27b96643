"""Tables in Markdown, and the notation of the figures in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.timing import Timing, ratio


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ms(timing: Timing) -> str:
    return f"{timing.median:.3g} ms"


def us(timing: Timing) -> str:
    """Write the median in microseconds, with the least and the most of a block."""
    least, most = 1000 * min(timing.blocks), 1000 * max(timing.blocks)
    return f"{1000 * timing.median:.1f} µs ({least:.1f}–{most:.1f})"


def times(one: Timing, other: Timing) -> str:
    """Write the ratio of the medians, with the least and the most of a block."""
    value, least, most = ratio(one, other)
    return f"{value:.3g} ({least:.3g}–{most:.3g})"


def mib(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"
