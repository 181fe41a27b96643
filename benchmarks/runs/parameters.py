"""Every parameter of the list is measured beside the list without any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from benchmarks.client import Client
from benchmarks.markdown import table
from benchmarks.rows import KEPT, SPREAD, START
from benchmarks.runs import Options
from benchmarks.sizes import alias_of, using
from benchmarks.timing import ratio, take_turns
from benchmarks.users import ADMIN, MEASURED_OWNER, USER, Identity
from django_image_tasks.forms import MAX_COMPARISONS, MAX_VALUES, OPERATORS
from django_image_tasks.keyset import SORT_KEYS, parse_order
from django_image_tasks.models import Task

TITLE = "Every parameter of the list"
MOST = 10
"""A use that takes over so many times the plain list's time is printed at once."""
WHO = {"an operator": ADMIN, "an owner of a tenth": USER}
WORDS = ("id", "name", "type", "status", "owner", "user_id", "image_id", "request_id")
TIMES = {"created_at": START, "updated_at": START, "expires_at": START + KEPT}

Query = list[tuple[str, str]]


class Taken(NamedTuple):
    times: float
    """How many times the plain list's time this is."""
    milliseconds: float
    use: str


def measure(options: Options) -> str:
    rows, client = options.rows[-1], Client()
    with using(alias_of(rows)):
        return _table(rows, [_slowest(client, who, options.quick) for who in WHO.values()])


def _slowest(client: Client, identity: Identity, quick: bool) -> dict[str, Taken]:
    """Find the use of each parameter that takes longest."""
    slowest: dict[str, Taken] = {}
    for use, query in _queries(identity):
        calls = {
            name: client.get(f"/v2/tasks?{urlencode(parameters)}", identity)
            for name, parameters in [("plain", []), ("use", query)]
        }
        timings = take_turns(calls, quick=quick, rounds=5)
        times, *_ = ratio(timings["use"], timings["plain"])
        taken = Taken(times, timings["use"].median, use)
        if times > MOST:
            print(f"{use}: {taken.milliseconds:.0f} ms, {times:.0f} times the plain list")
        name = _parameter(use)
        slowest[name] = max(taken, slowest.get(name, taken))
    return slowest


def _queries(identity: Identity) -> Iterator[tuple[str, Query]]:
    yield "limit=1000", [("limit", "1000")]
    for key in SORT_KEYS:
        for direction in ("asc", "desc"):
            query = [("sort_key", key), ("sort_dir", direction)]
            yield f"sort_key={key}, {direction}", query
            marker = _marker(identity, key, direction)
            yield f"sort_key={key}, {direction}, after 95 %", [*query, ("marker", marker)]
    yield "sort=status:asc,created_at:desc", [("sort", "status:asc,created_at:desc")]
    for name in WORDS:
        yield from _of_words(name, _known(name))
    for name, start in TIMES.items():
        for part in (5, 95):
            time = (start + SPREAD * part / 100).isoformat()
            for operator in OPERATORS:
                yield f"{name}={operator}: the time of {part} %", [(name, f"{operator}:{time}")]
        moments = [start + SPREAD * number / MAX_COMPARISONS for number in range(MAX_COMPARISONS)]
        query = [(name, f"neq:{moment.isoformat()}") for moment in moments]
        yield f"{name}=neq: {MAX_COMPARISONS} times", query


def _of_words(name: str, known: list[str]) -> Iterator[tuple[str, Query]]:
    yield f"{name}= one that there is", [(name, known[0])]
    yield f"{name}=in: {len(known)} that there are", [(name, f"in:{','.join(known)}")]
    if name not in ("type", "status"):
        unknown = [UUID(int=number).hex for number in range(MAX_VALUES)]
        yield f"{name}= one that there is not", [(name, unknown[0])]
        yield f"{name}=in: {MAX_VALUES} that there are not", [(name, f"in:{','.join(unknown)}")]


def _known(name: str) -> list[str]:
    if name in ("type", "status"):
        return list(map(str, Task.objects.values_list(name, flat=True).distinct()))
    # The values of one owner's tasks, from the middle of the table on.
    tasks = Task.objects.filter(owner=MEASURED_OWNER, created_at__gt=START + SPREAD / 2)
    values = tasks.exclude(image_id="").order_by("created_at").values_list(name, flat=True)
    return list(map(str, dict.fromkeys(values[:MAX_VALUES])))


def _marker(identity: Identity, key: str, direction: str) -> str:
    tasks = Task.objects.visible_to(str(identity.pk), every_owner=identity is ADMIN)
    ordered = tasks.unexpired(timezone.now()).in_order(parse_order([key], [direction], []))
    return str(ordered.values_list("pk", flat=True)[int(tasks.count() * 0.95)])


def _table(size: int, found: list[dict[str, Taken]]) -> str:
    rows = [
        [f"`{name}`", *(cell for slowest in found for cell in _cells(name, slowest[name]))]
        for name in sorted(found[0])
    ]
    header = [cell for who in WHO for cell in (f"slowest for {who}", "takes", "× the plain list")]
    return table([f"{size:,} tasks", *header], rows)


def _cells(parameter: str, taken: Taken) -> list[str]:
    times = f"{taken.times:.3g}"
    return [
        taken.use.removeprefix(parameter).lstrip(",= "),
        f"{taken.milliseconds:.3g} ms",
        f"**{times}**" if taken.times > MOST else times,
    ]


def _parameter(use: str) -> str:
    """``sort_key=name, asc`` is about ``sort_key=name``, ``name=in: …`` about ``name``."""
    name, _, value = use.partition(",")[0].partition("=")
    return f"{name}={value}" if name == "sort_key" else name
