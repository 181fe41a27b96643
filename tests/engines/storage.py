from __future__ import annotations

import os
import signal
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage


class StoppingStorage(FileSystemStorage):
    """Stops its process in the middle of saving, once a test has asked for it."""

    def _save(self, name: str, content: Any) -> str:
        try:
            (settings.DIRECTORY / "stop").unlink()
        except FileNotFoundError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGSTOP)
        return super()._save(name, content)
