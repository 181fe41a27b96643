"""The preference to wait (docs/reference/http.md, "Waiting for the end")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.request import parse_http_list
from uuid import UUID

KEY = "django_image_tasks.wait"
"""Where the ASGI application leaves a :class:`Wait` for the view, in the request's scope."""


@dataclass
class Wait:
    """How long this request may wait, and for what. The view says what it has seen."""

    seconds: int
    task: UUID | None = None
    """The unfinished task that the answer shows. None lets the answer go at once."""
    seen: datetime | None = None
    """The task's ``updated_at`` in the answer."""


def wait_in(request: Any) -> Wait | None:
    """What the ASGI application has left for this request, if it asks to wait and there is one."""
    return getattr(request, "scope", {}).get(KEY)


def seconds_of(prefer: str) -> int:
    """The seconds in a ``Prefer`` header; 0 where it does not ask to wait in a way that we read."""
    for preference in parse_http_list(prefer):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            found = re.fullmatch('"?([0-9]{1,9})"?', value.strip())
            return int(found[1]) if found else 0
    return 0
