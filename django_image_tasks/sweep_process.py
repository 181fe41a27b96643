"""The sweep in a process of its own beside a worker.

In a thread it would share database connections with workers that fork or run an event loop.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread

import django


@contextmanager
def sweeping(seconds: float) -> Iterator[None]:
    """Sweep every so many seconds while the block runs, and no longer than this process lives."""
    process = get_context("spawn").Process(target=_sweep_every, args=(seconds,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _sweep_every(seconds: float) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which ends us
    django.setup()  # before models are imported, as this process was spawned and not forked
    from django_image_tasks.sweep import sweep_every

    sweep_every(seconds)


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
    os._exit(1)
