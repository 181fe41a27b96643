"""``python posting.py ALIAS ROWS`` makes this table, and a task for each line that it reads.

It prints the milliseconds that each took. The checkout that it runs in may be an older one.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter, process_time

import django

BODY = {"type": "import", "input": {"import_from": "http://127.0.0.1/image"}}


def main(alias: str, rows: int) -> None:
    django.setup()
    from django.conf import settings

    from benchmarks import loading
    from benchmarks.client import Client
    from benchmarks.users import USER

    loading.make(alias, rows)
    settings.IMAGE_TASKS["ENGINE"] = "benchmarks.noop"
    post = Client().post("/v2/tasks", json.dumps(BODY).encode(), USER)
    clock = process_time if os.environ.get("BENCHMARK_CPU") else perf_counter
    for _ in sys.stdin:
        started = clock()
        post()
        print((clock() - started) * 1000, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
