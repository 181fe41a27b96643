"""What shared caches tell whom: Varnish, nginx and Squid before the example project.

    python -m tests.caches

Needs Debian's ``varnish``, ``nginx`` and ``squid``. Prints the table of docs/explanation/caches.md.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import django

from tests.caches import servers

if TYPE_CHECKING:
    from tests.caches.asking import Question

HEAD = """\
| cache | answers | from the cache | with another owner's data | their bytes | another status |
|---|---|---|---|---|---|"""


class Answer(NamedTuple):
    status: int
    body: bytes
    is_hit: bool


def main() -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        os.environ["DATABASE_URL"] = f"sqlite:///{directory / 'db.sqlite3'}"
        questions = list(make_questions())
        with servers.application() as backend:
            truth = ask(backend, questions)
            print(HEAD)
            for cache in servers.CACHES:
                with servers.cache(cache, backend, directory / cache) as port:
                    answers = ask(port, questions)
                print(row(f"{cache} {servers.version(cache)}", questions, answers, truth))


def make_questions() -> Iterable[Question]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    django.setup()
    from django.core.management import call_command

    from tests.caches.asking import Asking

    call_command("migrate", verbosity=0)
    return Asking().questions()


def ask(port: int, questions: Sequence[Question]) -> list[Answer]:
    answers = []
    for question in questions:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("GET", question.path, headers={**question.headers})
            response = connection.getresponse()
            answers.append(Answer(response.status, response.read(), is_hit(response)))
    return answers


def is_hit(response: http.client.HTTPResponse) -> bool:
    """Varnish names the request that it keeps the answer of; the others say HIT."""
    kept = len(response.headers.get("X-Varnish", "").split()) > 1
    return kept or response.headers.get("X-Cache", "").startswith("HIT")


def row(
    name: str, questions: Sequence[Question], answers: Sequence[Answer], truth: Sequence[Answer]
) -> str:
    foreign = [
        question.foreign(answer.body) for question, answer in zip(questions, answers, strict=True)
    ]
    hits = sum(answer.is_hit for answer in answers)
    others = sum(answer.status != true.status for answer, true in zip(answers, truth, strict=True))
    cells = (name, len(answers), hits, sum(map(bool, foreign)), sum(foreign), others)
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
