from __future__ import annotations

import re
import uuid

from django.http import HttpRequest

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id_of(request: HttpRequest) -> str:
    """The client's own id behind ``req-``, if it is one we accept; else a new one."""
    sent = request.headers.get("X-Openstack-Request-ID", "")
    if not _ACCEPTED.fullmatch(sent):
        return f"req-{uuid.uuid4()}"
    return sent if sent.startswith("req-") else f"req-{sent}"
