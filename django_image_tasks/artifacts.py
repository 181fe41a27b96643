"""Files that a task made, as its result names them.

See docs/how-to/handlers.md, "Files that a task made".
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from django.core.files.storage import FileSystemStorage, Storage, storages

from django_image_tasks.log_lines import line
from django_image_tasks.measures import readable_size

logger = logging.getLogger(__name__)

MOST = 100
"""So many files of a task are linked on its pages."""


class Artifact(NamedTuple):
    """A file, as people are shown it."""

    name: str
    size: str
    """With its unit; empty if the result does not say."""
    url: str
    """Where it can be had; empty if the storage does not serve its files."""


def artifacts(result: Any) -> list[Artifact]:
    """The files of a result, which may be any JSON. Entries that are no such file are left out."""
    entries = result.get("artifacts") if isinstance(result, dict) else None
    found = map(_artifact, entries[:MOST] if isinstance(entries, list) else [])
    return [artifact for artifact in found if artifact]


def url_in(storage: Storage, location: str) -> str:
    """The URL of a file in a storage; empty if it cannot be had there."""
    if isinstance(storage, FileSystemStorage) and storage.base_url in (None, "", "/"):
        return ""  # the project has no MEDIA_URL
    try:
        return storage.url(location)
    except Exception as error:  # each storage has errors of its own
        logger.info(line("no_url", name=location, error=type(error).__name__))
        return ""


def _artifact(entry: Any) -> Artifact | None:
    if not isinstance(entry, dict):
        return None
    name, size, location = (entry.get(key) for key in ("name", "size", "location"))
    alias = entry.get("storage", "default")
    if not isinstance(location, str) or alias not in list(storages.backends):
        return None
    readable = readable_size(size) if type(size) is int and size >= 0 else ""
    label = name if isinstance(name, str) and name else location
    return Artifact(label, readable, url_in(storages[alias], location))
