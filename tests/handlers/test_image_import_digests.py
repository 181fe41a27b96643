"""Digests of a stream, computed by threads that may be late."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from django_image_tasks.handlers.image_import.digests import BLOCK, Digests


class Late(Executor):
    """Does what it was given when somebody waits for it, and not before."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.result = lambda timeout=None: call(*args, **kwargs)  # type: ignore[method-assign]
        return future


def test_a_block_is_added_after_those_before_it() -> None:
    digests = Digests(["sha256"], Late())
    blocks = [bytes([number]) * BLOCK for number in range(3)]
    for block in blocks:
        digests.update(block)
    assert digests.hexdigests() == {"sha256": hashlib.sha256(b"".join(blocks)).hexdigest()}
