"""Run by the interpreter that has Glance: makes tasks by Glance's own code, and prints them."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from glance import context  # type: ignore[import-not-found]
from glance.common import config  # type: ignore[import-not-found]
from glance.db.sqlalchemy import api  # type: ignore[import-not-found]

INPUT = {
    "import_from": "http://images.example.org/Dübel.img",
    "import_from_format": "raw",
    "image_properties": {"name": "Dübel"},
}
NOW = datetime.utcnow()
LATER = {"expires_at": NOW + timedelta(hours=40)}

config.parse_args(args=["--config-file", sys.argv[1]])
admin = context.RequestContext(is_admin=True)


def make(status: str, **fields: Any) -> str:
    task = {"id": str(uuid4()), "type": "import", "owner": "p1", "user_id": "u1", "input": INPUT}
    task |= {"image_id": None, "request_id": f"req-{uuid4()}", "message": "", "result": None}
    return str(api.task_create(admin, task | {"status": status, **fields})["id"])


for _ in range(200):
    make("success", result={"image_id": str(uuid4())}, **LATER)
for _ in range(50):
    make("failure", type="api_image_import", message="Task failed ☠", user_id=None, **LATER)
unfinished = [make("pending"), make("processing")]
make("success", expires_at=NOW - timedelta(hours=1))
api.task_delete(admin, make("success", **LATER))

shown = []
for summary in api.task_get_all(admin):
    task = api.task_get(admin, summary["id"])
    if not task["deleted"] and (task["expires_at"] or datetime.max) > NOW:
        shown.append(
            {
                name: str(value) if isinstance(value, datetime) else value
                for name, value in task.items()
            }
        )
json.dump(shown, sys.stdout)
