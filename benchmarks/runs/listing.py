"""The list is measured beside what one would otherwise use, on the same rows."""

from __future__ import annotations

from benchmarks.client import Client
from benchmarks.markdown import ms, table, times
from benchmarks.pages import BARE, DRF, LEAST, NINJA, OURS, SIDES, Page, call, check_alike
from benchmarks.runs import Options
from benchmarks.sizes import alias_of, using
from benchmarks.timing import Timing, ratio, take_turns
from benchmarks.users import ANONYMOUS, USER

TITLE = "The list"
DEEP = "25 tasks after 95 %"
CASES = {
    "25 tasks": Page(25),
    "100 tasks": Page(100),
    "1000 tasks": Page(1000),
    DEEP: Page(25, depth=0.95),
    "25 tasks, one owner's": Page(25, identity=USER),
    "25 tasks, one owner's, no authentication": Page(25, identity=ANONYMOUS),
}
GOALS = {
    ("25 tasks", 100_000): (5, 2.5, 2.5),
    ("100 tasks", 100_000): (5, 2.5, 2),
    ("1000 tasks", 100_000): (8, 4, 1.5),
    (DEEP, 1_000_000): (50, 20, 2),
}
"""We want to be at least so many times as fast as plain DRF and as django-ninja, and to take at
most so many times as long as the bare view."""


Cases = dict[str, dict[str, Timing]]
"""The timing of each side in each of the cases."""


def measure(options: Options) -> str:
    client = Client()
    found = {rows: _measure_at(rows, client, options.quick) for rows in options.rows}
    parts = [_goals(found), *(_table(rows, cases) for rows, cases in found.items())]
    return "\n\n".join(filter(None, parts))


def _measure_at(rows: int, client: Client, quick: bool) -> Cases:
    timings = {}
    with using(alias_of(rows)):
        for name, page in CASES.items():
            calls = {side: call(client, SIDES[side], page) for side in SIDES}
            check_alike(calls)
            timings[name] = take_turns(calls, quick=quick)
    return timings


def _goals(found: dict[int, Cases]) -> str:
    rows = [
        [f"{name}, of {size:,}", *_against_goals(found[size][name], goals)]
        for (name, size), goals in GOALS.items()
        if size in found
    ]
    header = ["", "times as fast as plain DRF", "as django-ninja", "times the bare view's time"]
    header += ["which DRF and the ORM reach at best"]
    return table(header, rows) if rows else ""


def _against_goals(sides: dict[str, Timing], goals: tuple[float, float, float]) -> list[str]:
    against_drf, against_ninja, against_bare = goals
    return [
        _judged(sides[DRF], sides[OURS], least=against_drf),
        _judged(sides[NINJA], sides[OURS], least=against_ninja),
        _judged(sides[OURS], sides[BARE], most=against_bare),
        times(sides[LEAST], sides[BARE]),
    ]


def _judged(one: Timing, other: Timing, *, least: float = 0, most: float = 1e9) -> str:
    goal = f"at least {least:g}" if least else f"at most {most:g}"
    met = least <= ratio(one, other)[0] <= most
    return f"{times(one, other)}; {goal}: {'met' if met else '**missed**'}"


def _table(size: int, cases: Cases) -> str:
    rows = [
        [
            name,
            *(ms(sides[side]) for side in SIDES),
            times(sides[DRF], sides[OURS]),
            times(sides[NINJA], sides[OURS]),
            times(sides[OURS], sides[BARE]),
            times(sides[OURS], sides[LEAST]),
        ]
        for name, sides in cases.items()
    ]
    return table(
        [f"{size:,} tasks", *SIDES, "DRF ÷ ours", "ninja ÷ ours", "ours ÷ bare", "ours ÷ least"],
        rows,
    )
