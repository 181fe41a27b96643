"""A worker's process: ``python -m benchmarks.importer TASK…`` runs the tasks, one after the other,
and reports how long each took and how much memory it had above the idle process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter
from uuid import UUID

import django

from benchmarks.processes import memory


def main(task_ids: list[str]) -> list[dict[str, float]]:
    from django_image_tasks import executor

    idle, reports = memory("self", "VmRSS"), []
    for task_id in task_ids:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        started = perf_counter()
        executor.run(UUID(task_id))
        seconds = perf_counter() - started
        reports.append({"seconds": seconds, "memory": memory("self", "VmHWM") - idle})
    return reports


if __name__ == "__main__":
    django.setup()
    print(json.dumps(main(sys.argv[1:])))
