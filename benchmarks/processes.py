"""Servers in processes of their own, which only this machine can reach."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from benchmarks.place import PROJECT, home

HOST = "127.0.0.1"


def environment(**variables: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PROJECT)} | variables


def free_port() -> int:
    with socket.socket() as server:
        server.bind((HOST, 0))
        return int(server.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str], port: int, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the process once it answers, and end it with the context."""
    log = home() / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment(**variables), stdout=output, stderr=output
        )
    try:
        _wait(process, port, log)
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    while True:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended:\n{log.read_text()[-2000:]}")
        try:
            # A mere connection proves nothing: the socket is open before the workers are there.
            urlopen(f"http://{HOST}:{port}/versions", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def resident(pid: int) -> int:
    """Return the bytes of memory of all processes that this one started, directly or not."""
    return sum(memory(child, "VmRSS") + resident(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """Return the processes that this one started itself, and that have not ended."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def memory(pid: int | str, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
