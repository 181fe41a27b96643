from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from django_image_tasks.measures import duration, plain_size, readable_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (10 * 2**30, "10 GiB"),
        (2**40, "1 TiB"),
        (2**51, "2 PiB"),
        (2**57 + 2**53, "136 PiB"),
        (2**64, "16 EiB"),
        (2**73, "8192 EiB"),  # the most that any header can say: 2 ** 64 sectors
    ],
)
def test_a_message_says_a_size_in_few_digits(size: int, text: str) -> None:
    assert plain_size(size) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1.9, "1 byte"),
        (1023, "1023 bytes"),
        (12_897_485, "12.3 MiB"),
        (40 * 2**20, "40.0 MiB"),
        (2**64, "16.0 EiB"),
    ],
)
def test_a_size_has_one_decimal_for_readers(size: float, text: str) -> None:
    assert readable_size(size) == text


def test_a_reader_gets_the_separator_of_the_language() -> None:
    with translation.override("de"):
        assert readable_size(1536) == "1,5 KiB"
        assert plain_size(1536) == "1.5 KiB"


@pytest.mark.parametrize(
    ("length", "text", "short"),
    [
        (timedelta(seconds=-1), "0 s", "0 s"),
        (timedelta(seconds=59.9), "59 s", "59 s"),
        (timedelta(minutes=1, seconds=12), "1 min 12 s", "1 min"),
        (timedelta(hours=3, seconds=1), "3 h 0 min", "3 h"),
        (timedelta(days=8, hours=23), "8 d 23 h", "8 d"),
    ],
)
def test_a_duration_is_told_in_its_largest_units(length: timedelta, text: str, short: str) -> None:
    assert (duration(length), duration(length, units=1)) == (text, short)
