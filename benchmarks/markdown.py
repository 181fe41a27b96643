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


def judged(one: Timing, other: Timing, *, least: float = 0, most: float = 0) -> list[str]:
    """The goal of a ratio, and what was measured, which is in bold where it misses the goal."""
    value, *_ = ratio(one, other)
    is_met = value >= least if least else value <= most
    measured = times(one, other) if is_met else f"**{times(one, other)}**"
    return [f"at least {least:g}" if least else f"at most {most:g}", measured]


def mib(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"
