from __future__ import annotations

from typing import Any


class ReadsFromReplica:
    """A router that sends every read of ours to a replica, as no project should."""

    def db_for_read(self, model: Any, **hints: object) -> str | None:
        return "replica" if model._meta.app_label == "django_image_tasks" else None

    def db_for_write(self, model: Any, **hints: object) -> str:
        return "default"

    def allow_relation(self, *objects: object, **hints: object) -> bool:
        return True
