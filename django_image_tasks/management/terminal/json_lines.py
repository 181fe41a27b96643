from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import OutputWrapper

from django_image_tasks.management.terminal import api
from django_image_tasks.management.terminal.plain import Plain, Show
from django_image_tasks.models import Attempt, Task


class JSONLines(Plain):
    """For scripts: each of the API's answers on a line."""

    unread = ()

    def __init__(self, out: OutputWrapper, err: OutputWrapper) -> None:
        super().__init__(out, err)
        self.told: dict[str, Any] = {}

    def page(self, answer: Mapping[str, Any]) -> None:
        self.document(answer)

    def task(self, task: Mapping[str, Any], attempts: Sequence[Attempt]) -> None:
        self.document(task)

    def done(self, task: Mapping[str, Any], sentence: str) -> None:
        self.change(task)

    def hint(self, sentence: str) -> None:
        return

    def counts(self, counts: Mapping[str, int], sentence: str) -> None:
        self.document(counts)

    @contextmanager
    def watching(self) -> Iterator[Show]:
        def show(tasks: Iterable[Task]) -> None:
            for task in tasks:
                self.change(api.whole(task))
            self.out.flush()

        yield show

    def change(self, task: Mapping[str, Any]) -> None:
        if self.told.get(task["id"]) != task:
            self.told[task["id"]] = task
            self.document(task)

    def document(self, document: Any) -> None:
        self.out.write(json.dumps(document))
