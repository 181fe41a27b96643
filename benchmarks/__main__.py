"""``python -m benchmarks``: makes the data, measures, prints, and writes what it found."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import django

from benchmarks import place, results
from benchmarks.runs import MODULES, Options, module
from benchmarks.servers import server
from benchmarks.sizes import SCRATCH


def main() -> None:
    arguments = _parser().parse_args()
    rows = tuple(sorted(int(rows) for rows in arguments.rows.split(",")))
    options = Options(arguments.database, rows, arguments.quick)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated"))
    _set_environment(options)
    with server(options.database):
        django.setup()
        _run(options, arguments)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--database", choices=results.DATABASES, default="sqlite")
    parser.add_argument("--rows", default="1000,100000,1000000", help="sizes of the tables")
    parser.add_argument("--only", action="append", choices=list(MODULES), help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, to see that it works")
    parser.add_argument("--output", type=Path, default=place.ROOT, metavar="DIRECTORY")
    return parser


def _set_environment(options: Options) -> None:
    """What the settings read, here and in every process that is started from here."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["BENCHMARK_DATABASE"] = options.database
    os.environ["BENCHMARK_ROWS"] = ",".join(map(str, options.rows))


def _run(options: Options, arguments: Namespace) -> None:
    from benchmarks import chart, loading, machine, report

    loading.make(SCRATCH, options.rows[0])
    for rows in options.rows:
        loading.ensure(rows)
    for name in arguments.only or MODULES:
        run, data = machine.describe(quick=options.quick), module(name).measure(options)
        if data is None:
            continue
        results.record(arguments.output, options.database, name, run, data)
        print(f"\n{report.tables(name, data)}", flush=True)
        report.write(arguments.output)
        chart.write(arguments.output)


if __name__ == "__main__":
    main()
