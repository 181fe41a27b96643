"""The sweep in a process of its own beside a worker.

In a thread it would share database connections with workers that fork or run an event loop.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import django
from django.conf import settings

from django_image_tasks.log_lines import line

logger = logging.getLogger(__name__)

SHORT_LIFE = 10.0
"""Seconds; a sweep that dies sooner than that cannot be helped by starting it again."""
SHORT_LIVES = 5
"""After so many of those in a row the worker ends too, for its supervisor to notice."""


@contextmanager
def sweeping(seconds: float) -> Iterator[None]:
    """Sweep every so many seconds while the block runs, and no longer than this process lives.

    If the sweep's process dies, another one is started; if none lives long, SIGTERM is sent to this
    process.
    """
    stop = Event()
    keeper = Thread(target=_keep_sweeping, args=(seconds, stop), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep_sweeping(seconds: float, stop: Event) -> None:
    short_lives = 0
    while not stop.is_set() and short_lives < SHORT_LIVES:
        process, started = _start(seconds), time.monotonic()
        while process.poll() is None and not stop.wait(0.2):
            pass
        if stop.is_set():
            process.terminate()
            process.wait()
            return
        logger.error(line("sweep_died", exit=process.returncode))
        short_lives = short_lives + 1 if time.monotonic() - started < SHORT_LIFE else 0
        stop.wait(1)
    if not stop.is_set():
        logger.critical(line("worker_ends", reason="its sweep cannot be kept alive"))
        os.kill(os.getpid(), signal.SIGTERM)


def _start(seconds: float) -> subprocess.Popen[bytes]:
    # Not by multiprocessing, which would import the worker's main module again: without a guard
    # of __name__ there, each sweep died at once.
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
    }
    command = [sys.executable, "-m", __name__, str(seconds)]
    return subprocess.Popen(command, env=environ, stdin=subprocess.PIPE)  # noqa: S603 (ourselves)


def _sweep_every(seconds: float) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which ends us
    django.setup()
    from django_image_tasks.sweep import sweep_every

    sweep_every(seconds)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # until the other end of the pipe is closed, by death or otherwise
    os._exit(1)


if __name__ == "__main__":
    _sweep_every(float(sys.argv[1]))
