"""qemu's prober finds the same format as we do in whatever is accepted."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest

from django_image_tasks.exceptions import TaskFailed
from tests.handlers import images
from tests.requirements import needs

needs("oslo_utils")

from django_image_tasks.handlers.image_import.inspection import inspect  # noqa: E402
from tests.handlers.compare_with_qemu_img import HAND_MADE, comparisons  # noqa: E402


def test_no_image_is_another_or_has_another_file_in_it_to_qemu(tmp_path: Path) -> None:
    found = list(comparisons(tmp_path, mutants=False))
    assert [each for each in found if not each.holds] == []
    assert any(each.others for each in found)  # qemu-img does tell of them


@pytest.mark.parametrize("name", HAND_MADE)
def test_flipped_bytes_end_in_words(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    choice = random.Random(name)
    path = tmp_path / "image"
    for _ in range(20):
        path.write_bytes(images.flipped(HAND_MADE[name], choice))
        try:
            inspect(path, lambda: None)
        except TaskFailed as error:
            assert str(error)  # noqa: PT017
