"""The admin's list beside plain ones, and how long every filter and search of it takes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from django.utils import timezone

from benchmarks import loading
from benchmarks.client import Client
from benchmarks.markdown import judged, ms, table, times
from benchmarks.rows import SPREAD
from benchmarks.runs import Options
from benchmarks.sizes import SCRATCH
from benchmarks.timing import take_turns
from benchmarks.users import ADMIN
from django_image_tasks.models import Task

TITLE = "The admin's pages"
LIST = "django_image_tasks/task/"
GOAL = 1.25
"""The list may take so many times as long as Django's own with the same columns."""
MOST = 100
"""Milliseconds that no page may take, however many tasks there are."""
SHOWN = 8
"""So many of the slowest pages have a line of their own."""
FILTERS = {
    "status__exact": ["pending", "processing", "success", "failure"],
    "type": ["import", "noop"],
    "created": ["hour", "day", "week"],
    "attention": ["stuck", "expiring", "expired"],
    "retried": ["yes", "no"],
}
ORDERS = ["2", "-2", "4", "-4", "5", "-5"]

Query = dict[str, str]


class Session(NamedTuple):
    """A user who is logged in at the admin."""

    headers: Mapping[str, str]


def measure(options: Options) -> str:
    return f"{_beside_plain_ones(options)}\n\n{_all_pages(options)}"


def _beside_plain_ones(options: Options) -> str:
    get = _make(options.rows[0])
    rows = []
    page = list(Task.objects.order_by("-created_at", "-id").values_list("pk", flat=True)[:50])
    for name, behind, plain in [("first", "", ""), ("second", f"?after={page[-1]}", "?p=2")]:
        sides = {
            "ours": get(f"/admin/{LIST}{behind}"),
            "our columns": get(f"/our-columns/{LIST}{plain}"),
            "ten fields": get(f"/ten-fields/{LIST}{plain}"),
        }
        timings = take_turns(sides, quick=options.quick)
        ours, same, fields = timings.values()
        ratios = [judged(ours, same, most=GOAL)[1], times(ours, fields)]
        rows.append([f"{name} page", *map(ms, timings.values()), *ratios])
    others = ["plain, our columns", "plain, ten fields"]
    quotients = [f"ours ÷ {others[0]} (at most {GOAL})", f"ours ÷ {others[1]}"]
    return table([f"{options.rows[0]:,} tasks", "ours", *others, *quotients], rows)


def _all_pages(options: Options) -> str:
    get = _make(options.rows[-1])
    calls = {path: get(f"/admin/{LIST}{path}") for path in _paths()}
    # To look through all that is imported took 70 ms, and fell upon the same pages each time.
    gc.freeze()
    timings = take_turns(calls, quick=options.quick, rounds=3)
    slowest = sorted(timings.items(), key=lambda item: -item[1].median)
    slow = sum(timing.median >= MOST for timing in timings.values())
    words = f"Of {len(calls)} pages, {slow} took {MOST} ms or more. The slowest:"
    header = [f"{options.rows[-1]:,} tasks", "median"]
    rows = [[f"`{path}`", ms(timing)] for path, timing in slowest[:SHOWN]]
    return f"{words}\n\n{table(header, rows)}"


def _make(rows: int) -> Callable[[str], Callable[[], bytes]]:
    """The tasks of the last two days, and what makes calls for an operator who looks at them."""
    loading.make(SCRATCH, rows, start=timezone.now() - SPREAD)
    client, session = Client(), session_of_operator()
    return lambda path: client.get(path, session)


def session_of_operator() -> Any:
    """The session of a user who may do everything in the admin."""
    get_user_model().objects.filter(pk=ADMIN.pk).update(is_staff=True)
    browser = Browser()
    browser.force_login(get_user_model().objects.get(pk=ADMIN.pk))
    name = settings.SESSION_COOKIE_NAME
    return Session({"Cookie": f"{name}={browser.cookies[name].value}"})


def _paths() -> Iterator[str]:
    """The list for each filter, each two of them, each search and order; and the other pages."""
    task = Task.objects.filter(status="failure").order_by("-created_at")[0]
    yield from (f"{task.pk}/change/", f"{task.pk}/live/", "live/?above=", "day/", "?overview=1")
    yield from (f"?{urlencode(query)}" for query in _queries(task))


def _queries(task: Task) -> Iterator[Query]:
    yield {}
    yield {"after": str(task.pk)}
    yield from ({"o": order} for order in ORDERS)
    choices = [[{name: value} for value in values] for name, values in FILTERS.items()]
    yield from (one for each in choices for one in each)
    for pair in combinations(choices, 2):
        yield from (one | other for one, other in product(*pair))
    yield from ({"status__exact": "success", "o": order} for order in ORDERS)
    for words in (
        *(str(task.pk)[:8], task.request_id, task.user_id, "image 12", "404", "nothing"),
        *(str(Task.objects.exclude(image_id="")[0].image_id), "worker-1.example.org"),
    ):
        yield {"q": words}
        yield {"q": words, "status__exact": "failure"}
        yield {"q": words, "o": "2"}
