"""How to install the extras of this package, for messages that name one."""

from __future__ import annotations

import json
from importlib.metadata import distribution


def install(extra: str) -> str:
    """The command that installs an extra from where this package itself was installed from."""
    origin = distribution("django-image-tasks").read_text("direct_url.json")
    return f"pip install 'django-image-tasks[{extra}]{_reference(origin)}'"


def _reference(origin: str | None) -> str:
    """The end of a requirement from this origin, which pip notes (PEP 610) if it is no index."""
    if not origin:
        return ""
    place = json.loads(origin)
    if vcs := place.get("vcs_info"):
        return f" @ {vcs['vcs']}+{place['url']}@{vcs['commit_id']}"
    return f" @ {place['url']}"
