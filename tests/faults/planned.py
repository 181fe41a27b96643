from __future__ import annotations

import time
from typing import Any

from django_image_tasks.exceptions import AttemptFailed
from tests.engines.steps import Steps


class Planned(Steps):
    """Sleeps in its first attempts for as many seconds as ``input["seconds"]`` says of each.

    It hears of nothing while it sleeps. ``None`` there asks for another attempt.
    """

    type = "planned"
    title = "Planned"

    def run(self, context: Any) -> dict[str, Any]:
        self.note(context, "runs")
        for seconds in context.input["seconds"][context.attempt - 1 :][:1]:
            if seconds is None:
                raise AttemptFailed("As planned")
            time.sleep(seconds)
        return {"attempt": context.attempt}
