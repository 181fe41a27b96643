"""The signals by which a worker is told to stop politely, heard while a task runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def heard(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` when a signal arrives in this block, and then what handled it before.

    A signal that would have ended the process at once does so after the block. Only the main
    thread can hear signals; in any other the block runs as it is.
    """
    if current_thread() is not main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    fatal: list[int] = []

    def handle(number: int, frame: Any) -> None:
        tell()
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            fatal.append(number)

    caught = [number for number, old in handlers.items() if callable(old) or old == signal.SIG_DFL]
    for number in caught:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in caught:
            if signal.getsignal(number) is handle:  # or else somebody has set another since
                signal.signal(number, handlers[number])
        for fatal_number in fatal:
            os.kill(os.getpid(), fatal_number)
