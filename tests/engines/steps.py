"""A handler that takes its time, and notes each run where a test can read it."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings

from django_image_tasks.exceptions import TaskInterrupted
from django_image_tasks.handlers.base import Context, Handler

STEP = 0.05


class Steps(Handler):
    """Takes ``input["steps"]`` steps in its first attempts (one), and none in another."""

    type = "steps"
    title = "Steps"

    def run(self, context: Context) -> dict[str, Any]:
        is_slow = context.attempt <= context.input.get("slow_attempts", 1)
        steps = context.input.get("steps", 0) if is_slow else 0
        self.note(context, "runs")
        (context.scratch / "staged").write_bytes(bytes(1000))
        try:
            for step in range(steps):
                time.sleep(STEP)
                context.progress(step, steps)
        except TaskInterrupted as reason:
            self.note(context, type(reason).__name__)
            raise
        return {"attempt": context.attempt}

    def note(self, context: Context, what: str) -> None:
        with (settings.DIRECTORY / "notes").open("a") as notes:
            notes.write(f"{context.task_id} {context.attempt} {what}\n")
