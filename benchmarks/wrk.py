"""The load generator ``wrk``, from Debian's package of that name, for a bounded time."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import NamedTuple

from benchmarks.users import ADMIN

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Load(NamedTuple):
    requests: int
    per_second: float
    p50: float
    """The median of the latency in milliseconds; ``p99`` is its 99th percentile."""
    p99: float


def load(url: str, connections: int, seconds: int) -> Load:
    if shutil.which("wrk") is None:
        raise SystemExit("There is no wrk: install Debian's package of that name.")
    headers = [f"-H{name}: {value}" for name, value in ADMIN.headers.items()]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *headers, url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output or " 0 requests in" in output:
        raise RuntimeError(output)
    return Load(
        requests=int(_found(r"([0-9]+) requests in", output)),
        per_second=float(_found(r"Requests/sec: +([0-9.]+)", output)),
        p50=_milliseconds("50", output),
        p99=_milliseconds("99", output),
    )


def _milliseconds(percent: str, output: str) -> float:
    value = _found(rf" {percent}% +([0-9.]+(?:us|ms|s))", output)
    unit = value.lstrip("0123456789.")
    return float(value.removesuffix(unit)) * UNITS[unit]


def _found(pattern: str, output: str) -> str:
    match = re.search(pattern, output)
    if match is None:
        raise RuntimeError(output)
    return match[1]
