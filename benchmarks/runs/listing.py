"""The list and one task, beside what one would otherwise use, on the same rows."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.client import Client
from benchmarks.markdown import judged, ms, table, times
from benchmarks.pages import BARE, DRF, LEAST, NINJA, OURS, SIDES, OneTask, Page, calls_of
from benchmarks.runs import Options
from benchmarks.sizes import alias_of, using
from benchmarks.timing import Timing, take_turns
from benchmarks.users import ANONYMOUS, USER

TITLE = "The list and one task"
OPERATORS = "ours, an operator's"
CASES = {
    "25 tasks": Page(25),
    "100 tasks": Page(100),
    "1000 tasks": Page(1000),
    "25 tasks after 95 %": Page(25, depth=0.95),
    "25 tasks, one owner's": Page(25, identity=USER),
    "25 tasks, one owner's, no authentication": Page(25, identity=ANONYMOUS),
    "one task": OneTask(),
    "one task, to its owner": OneTask(USER),
}


class Goal(NamedTuple):
    """How many times as long ``one`` takes as ``other``: at least, or at most."""

    size: int
    case: str
    one: str
    other: str
    least: float = 0
    most: dict[str, float] = {}
    """By database, where they differ; else by ``""``."""


LIMITS = {
    "25 tasks": {"sqlite": 1.8, "": 1.3},
    "100 tasks": {"sqlite": 1.3, "": 1.0},
    "1000 tasks": {"sqlite": 1.0, "postgresql": 0.45, "": 0.8},
    "one task": {"": 2},
}
GOALS = [
    *(Goal(100_000, case, OURS, BARE, most=most) for case, most in LIMITS.items()),
    Goal(100_000, "25 tasks, one owner's", OURS, OPERATORS, most={"": 1.3}),
    Goal(1000, "25 tasks, one owner's", DRF, OURS, least=3),
    Goal(1000, "25 tasks", DRF, OURS, least=4),
    Goal(1000, "25 tasks", NINJA, OURS, least=3.5),
]

Cases = dict[str, dict[str, Timing]]
"""The timing of each side in each of the cases."""


def measure(options: Options) -> str:
    client = Client()
    found = {rows: _measure_at(rows, client, options.quick) for rows in options.rows}
    parts = [_goals(found, options.database), *(_table(*each) for each in found.items())]
    return "\n\n".join(filter(None, parts))


def _measure_at(rows: int, client: Client, quick: bool) -> Cases:
    timings = {}
    with using(alias_of(rows)):
        for name, page in CASES.items():
            calls = calls_of(client, page)
            if page == CASES["25 tasks, one owner's"]:
                calls[OPERATORS] = calls_of(client, CASES["25 tasks"])[OURS]
            timings[name] = take_turns(calls, quick=quick)
    return timings


def _goals(found: dict[int, Cases], database: str) -> str:
    rows = []
    for size, case, one, other, least, limits in GOALS:
        if size in found:
            sides, most = found[size][case], limits.get(database, limits.get("", 0))
            floor = times(sides[LEAST], sides[BARE]) if other == BARE else ""
            verdict = judged(sides[one], sides[other], least=least, most=most)
            rows.append([f"{case}, of {size:,}", f"{one} ÷ {other}", *verdict, floor])
    header = ["", "time", "goal", "measured", "which REST framework reaches at best"]
    return table(header, rows) if rows else ""


def _table(size: int, cases: Cases) -> str:
    ratios = [(DRF, OURS), (NINJA, OURS), (OURS, BARE), (OURS, LEAST)]
    rows = [
        [
            name,
            *(ms(sides[side]) if side in sides else "" for side in SIDES),
            *(times(sides[one], sides[other]) if one in sides else "" for one, other in ratios),
        ]
        for name, sides in cases.items()
    ]
    header = [f"{size:,} tasks", *SIDES, *(f"{one} ÷ {other}" for one, other in ratios)]
    return table(header, rows)
