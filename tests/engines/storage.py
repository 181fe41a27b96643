from __future__ import annotations

import os
import signal
from contextlib import suppress
from errno import EIO
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage


class FaultyStorage(FileSystemStorage):
    """Does what a test asks for by a file: ``stop``, ``save fails``, ``delete fails``, ``breaks``.

    It stops its process in the middle of saving; it fails; or it fails once a file is written, and
    cannot delete it any more.
    """

    def _save(self, name: str, content: Any) -> str:
        fail_if_asked("save fails")
        with suppress(FileNotFoundError):
            (settings.DIRECTORY / "stop").unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        saved = super()._save(name, content)
        with suppress(FileNotFoundError):
            (settings.DIRECTORY / "breaks").rename(settings.DIRECTORY / "delete fails")
        fail_if_asked("delete fails")
        return saved

    def delete(self, name: str) -> None:
        fail_if_asked("delete fails")
        super().delete(name)


def fail_if_asked(what: str) -> None:
    if (settings.DIRECTORY / what).exists():
        raise OSError(EIO, os.strerror(EIO))
