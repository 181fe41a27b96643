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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.packaging.projects.databases import DATABASES, ONE
from tests.packaging.projects.generated import GENERATORS
from tests.packaging.projects.situations import SITUATIONS
from tests.packaging.projects.trial import Project

WORKS = "works"
GATE = [("startproject", "SQLite", "plain"), ("wagtail", "SQLite", "plain")]


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", nargs="+", default=[])
    options = parser.parse_args()
    every = [
        (generator, database, situation)
        for generator, database, situation in itertools.product(GENERATORS, DATABASES, SITUATIONS)
        if database in ONE or situation == "plain"
    ]
    chosen = [each for each in (every if options.all else GATE) if {*options.only} <= {*each}]
    works = True
    with image_server() as image:
        print(
            f"| project | database | {' | '.join(SITUATIONS)} |\n{'|---' * (2 + len(SITUATIONS))}|"
        )
        for (generator, database), group in itertools.groupby(chosen, key=lambda names: names[:2]):
            situations = [situation for _, _, situation in group]
            said = dict(tried(options.programs.resolve(), image, generator, database, situations))
            cells = [said.get(situation, "") for situation in SITUATIONS]
            print(f"| {generator} | {database} | {' | '.join(cells)} |", flush=True)
            works &= {*said.values()} == {WORKS}
    return 0 if works else 1


def tried(
    programs: Path, image: str, generator: str, database: str, situations: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """What came of each situation; the details of a failure are on standard error."""
    with tempfile.TemporaryDirectory() as directory:
        project = Project(Path(directory, "project"), programs, GENERATORS[generator])
        prepared = outcome(project.prepare, DATABASES[database], image)
        for number, situation in enumerate(situations):
            if prepared != WORKS:
                yield situation, prepared
                continue
            one = project.copied_to(Path(directory, str(number)))
            yield situation, outcome(one.try_in, SITUATIONS[situation], image)
        DATABASES[database].drop()


def outcome(step: Callable[..., None], *arguments: Any) -> str:
    try:
        step(*arguments)
    except Exception as error:
        print(error, *getattr(error, "__notes__", []), sep="\n", file=sys.stderr)
        return f"**{type(error).__name__}**"
    return WORKS


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
