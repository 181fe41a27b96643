"""The sweep in a process of its own, beside a worker: one that forks or that runs an event loop
would share connections with a thread which are not made for it.
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
    """Sweep now and then, for as long as the block runs and this process lives."""
    process = get_context("spawn").Process(target=_sweep_every, args=(seconds,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _sweep_every(seconds: float) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which ends this
    django.setup()
    from django_image_tasks.sweep import sweep_every

    sweep_every(seconds)


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
    os._exit(1)
