"""``python -m benchmarks.importer TASK…`` is a worker's process, which runs the tasks in turn.

It prints the seconds that each took, and its bytes of memory above the idle process, as JSON.
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
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, the peak of the memory
        started = perf_counter()
        executor.run(UUID(task_id))
        seconds = perf_counter() - started
        reports.append({"seconds": seconds, "memory": memory("self", "VmHWM") - idle})
    return reports


if __name__ == "__main__":
    django.setup()
    print(json.dumps(main(sys.argv[1:])))
