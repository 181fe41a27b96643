"""The README, pasted into projects that generators make, which have the wheel installed.

    python -m tests.packaging.projects PROGRAMS [--all] [--only WORD …]

Run from the clone. PROGRAMS is the directory of the programs of an environment that has the wheel
with the extras ``db`` and ``import``, and Wagtail. ``--all`` tries every generator of
``generated.py`` in every situation of ``situations.py`` on three databases, and with two of them:
then it has to have the generators and the drivers too, and there have to be the servers. Prints a
table.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.packaging.projects.databases import ONE, TWO
from tests.packaging.projects.generated import GENERATORS
from tests.packaging.projects.situations import SITUATIONS
from tests.packaging.projects.trial import Project

DATABASES = ONE | TWO
Names = tuple[str, str, str]
GATE = [("startproject", "SQLite", "plain"), ("wagtail", "SQLite", "plain")]


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", nargs="+", default=[])
    options = parser.parse_args()
    every = [
        *itertools.product(GENERATORS, ONE, SITUATIONS),
        *itertools.product(GENERATORS, TWO, ["plain"]),
    ]
    chosen = [each for each in (every if options.all else GATE) if {*options.only} <= {*each}]
    results: list[str] = []
    with image_server() as image:
        print("| project | database | situation | |\n|---|---|---|---|")
        for base, group in itertools.groupby(chosen, key=lambda names: names[:2]):
            for names, result in tried(options.programs.resolve(), image, *base, [*group]):
                print(f"| {' | '.join(names)} | {result} |", flush=True)
                results.append(result)
    return sum(not result.endswith(" s") for result in results)


def tried(
    programs: Path, image: str, generator: str, database: str, group: Sequence[Names]
) -> Iterator[tuple[Names, str]]:
    """How long each took, or what went wrong, whose details are on standard error."""
    with tempfile.TemporaryDirectory() as directory:
        project = Project(Path(directory, "project"), programs, GENERATORS[generator])
        prepared = outcome(project.prepare, DATABASES[database], image)
        for number, names in enumerate(group):
            if not prepared.endswith(" s"):
                yield names, prepared
                continue
            one = project.copied_to(Path(directory, str(number)))
            yield names, outcome(one.try_in, SITUATIONS[names[2]], image)


def outcome(step: Callable[..., None], *arguments: Any) -> str:
    begun = time.monotonic()
    try:
        step(*arguments)
    except Exception as error:
        print(error, *getattr(error, "__notes__", []), sep="\n", file=sys.stderr)
        return f"**{type(error).__name__}**"
    return f"{time.monotonic() - begun:.0f} s"


class Image(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(2**16))
        self.end_headers()
        self.wfile.write(bytes(2**16))

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def image_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Image) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/a.img"
        server.shutdown()


sys.exit(main())
