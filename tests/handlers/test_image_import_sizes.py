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
        (2**51, "2048 TiB"),
    ],
)
def test_size_as_people_write_it(size: int, text: str) -> None:
    assert readable(size) == text
