"""``python -m benchmarks`` makes the data, measures, and prints the tables that it writes.

Each benchmark has one page for each database, ``results/DATABASE/BENCHMARK.md``. A run replaces the
pages of what it measured and leaves the others alone.
"""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

import django

from benchmarks import place
from benchmarks.runs import MODULES, Options, module
from benchmarks.servers import server
from benchmarks.sizes import SCRATCH


def main() -> None:
    arguments = _parser().parse_args()
    rows = tuple(sorted(int(rows) for rows in arguments.rows.split(",")))
    options = Options(arguments.database, rows, arguments.quick, arguments.before)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated"))
    _set_environment(options, arguments.cpu)
    with server(options.database):
        django.setup()
        _run(options, arguments.only or list(MODULES), arguments.output)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    parser.add_argument("--rows", default="1000,100000,1000000", help="sizes of the tables")
    parser.add_argument("--only", action="append", choices=list(MODULES), help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, to see that it works")
    parser.add_argument("--cpu", action="store_true", help="measure this process's CPU time alone")
    parser.add_argument("--before", type=Path, help="create: beside this older checkout")
    parser.add_argument("--output", type=Path, default=place.ROOT / "results", metavar="DIRECTORY")
    return parser


def _set_environment(options: Options, cpu: bool) -> None:
    """Tell the settings, here and in every process that is started from here, what to set up."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["BENCHMARK_DATABASE"] = options.database
    os.environ["BENCHMARK_ROWS"] = ",".join(map(str, options.rows))
    os.environ["BENCHMARK_CPU"] = "1" if cpu else ""


def _run(options: Options, benchmarks: list[str], output: Path) -> None:
    from benchmarks import loading, report

    directory = output / options.database
    directory.mkdir(parents=True, exist_ok=True)
    loading.make(SCRATCH, options.rows[0])
    for rows in options.rows:
        loading.ensure(rows)
    for name in benchmarks:
        if tables := module(name).measure(options):
            page = report.page(module(name).TITLE, tables)
            print(f"\n{page}", flush=True)
            (directory / f"{name}.md").write_text(page)


if __name__ == "__main__":
    main()
