from __future__ import annotations

import os
import signal
from typing import Any

from django.apps import AppConfig
from django.conf import settings


class FaultsConfig(AppConfig):
    """Connects a receiver of ``image_imported``."""

    name = "tests.faults"

    def ready(self) -> None:
        from django_image_tasks.handlers.image_import import image_imported

        image_imported.connect(hear)


def hear(sender: object, task: Any, **kwargs: object) -> None:
    """Note that an image was imported; kill this process instead if a test has asked for it."""
    try:
        (settings.DIRECTORY / "die").unlink()
    except FileNotFoundError:
        with (settings.DIRECTORY / "notes").open("a") as notes:
            notes.write(f"{task.pk} {task.attempts} heard\n")
    else:
        os.kill(os.getpid(), signal.SIGKILL)
