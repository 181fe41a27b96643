"""Throughput as a drawing: what succeeded stands on the line, what failed hangs from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.dateformat import format as format_date
from django.utils.formats import number_format

from django_image_tasks.admin.counts import shown

HEIGHT = 96
STEP = 20
BAR = 14
LEAST = 2
"""One task can be seen beside a thousand."""


class Hour(NamedTuple):
    start: datetime
    succeeded: int
    failed: int


class Bar(NamedTuple):
    time: str
    succeeded: str
    failed: str
    x: int
    top: int
    above: int
    below: int


class Chart:
    height = HEIGHT
    bar_width = BAR

    def __init__(self, hours: Sequence[Hour], cap: int) -> None:
        self.hours, self.cap = hours, cap
        self.most_succeeded = max(hour.succeeded for hour in hours)
        self.most_failed = max(hour.failed for hour in hours)

    @property
    def is_empty(self) -> bool:
        return not (self.most_succeeded or self.most_failed)

    @property
    def width(self) -> int:
        return STEP * len(self.hours)

    @property
    def baseline(self) -> int:
        return self._length(self.most_succeeded)

    @property
    def bars(self) -> list[Bar]:
        return [
            Bar(
                time=format_date(hour.start, "H:i"),
                succeeded=shown(hour.succeeded, self.cap),
                failed=shown(hour.failed, self.cap),
                x=STEP * number + (STEP - BAR) // 2,
                top=self.baseline - self._length(hour.succeeded),
                above=self._length(hour.succeeded),
                below=self._length(hour.failed),
            )
            for number, hour in enumerate(self.hours)
        ]

    @property
    def succeeded(self) -> str:
        return self._sum([hour.succeeded for hour in self.hours])

    @property
    def failed(self) -> str:
        return self._sum([hour.failed for hour in self.hours])

    def _length(self, number: int) -> int:
        room = HEIGHT - 2 * LEAST
        length = round(number * room / (self.most_succeeded + self.most_failed))
        return max(LEAST, length) if number else 0

    def _sum(self, numbers: Sequence[int]) -> str:
        """At least so many, if an hour had more than could be counted."""
        total = sum(min(number, self.cap) for number in numbers)
        digits = number_format(total, force_grouping=True)
        return f"{digits}+" if max(numbers) > self.cap else digits
