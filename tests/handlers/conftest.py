from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.fakes import FakeContext, SourceServer, running


@pytest.fixture
def server(settings: Any) -> Iterator[SourceServer]:
    """A source on the loopback interface, trusted."""
    with running(SourceServer()) as server:
        settings.IMAGE_TASKS = {"IMPORT_TRUSTED_HOSTS": [server.origin]}
        yield server


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    """Change settings of ``IMAGE_TASKS``."""

    def change(**values: Any) -> None:
        settings.IMAGE_TASKS = {**getattr(settings, "IMAGE_TASKS", {}), **values}

    return change


@pytest.fixture
def storage_root(settings: Any, tmp_path: Path) -> Path:
    """Where ``STORAGES["images"]`` keeps its files."""
    root = tmp_path / "storage"
    use_storage(settings, "django.core.files.storage.FileSystemStorage", root)
    return root


def use_storage(settings: Any, backend: str, root: Path) -> None:
    images = {"BACKEND": backend, "OPTIONS": {"location": str(root)}}
    settings.STORAGES = {**settings.STORAGES, "images": images}


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return FakeContext(scratch, {})
