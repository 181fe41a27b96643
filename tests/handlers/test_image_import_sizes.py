from __future__ import annotations

import pytest

from django_image_tasks.handlers.image_import.sizes import readable


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
def test_size_as_people_write_it(size: int, text: str) -> None:
    assert readable(size) == text
