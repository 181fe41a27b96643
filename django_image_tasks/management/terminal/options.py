"""The commands and options of ``manage.py image_tasks``."""

from __future__ import annotations

import argparse
from contextlib import suppress
from functools import partial
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _

from django_image_tasks.conf import conf
from django_image_tasks.filters import TimesFilter
from django_image_tasks.handlers import registry
from django_image_tasks.keyset import SORT_KEYS
from django_image_tasks.management.terminal.watch import MOST
from django_image_tasks.states import Status

LIST_EXAMPLES = """\
  image_tasks list --status failure --created-at gte:2026-01-31
  image_tasks list --status pending --status processing --sort status:asc,created_at
  image_tasks list --owner 7 --limit 100 --json
"""

CANCEL_EXAMPLES = """\
  image_tasks cancel 4f9a 77b1
  image_tasks cancel --owner 7 --status pending
"""

RETRY_EXAMPLES = """\
  image_tasks retry --status failure --created-at gte:2026-01-31
"""

CREATE_EXAMPLES = """\
  image_tasks create import --owner 7 --input '{"import_from": "https://example.org/a.qcow2"}'
  image_tasks create import --owner 7 --input @input.json --name 'Debian 13' --wait
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Give the parser a command, with its options, for each thing that can be done with tasks."""
    parser.description = _(parser.description or "")
    parser.epilog = _(
        "Exit codes: 0 done, 1 an error, 2 an unknown option, 3 no such task, 4 refused in this "
        "state, 5 a watched task failed, 6 it did not end in time, 130 interrupted."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar=_("command"))

    def add(name: str, help: str, epilog: str = "") -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(
            name,
            help=help,
            description=help,
            conflict_handler="resolve",  # a host's own filter may be called anything
            epilog=epilog and "{}\n{}".format(_("examples:"), epilog),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # Django's own options, which it takes in front of the command alone.
        for flag in ("--no-color", "--force-color", "--skip-checks", "--traceback"):
            command.add_argument(
                flag, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
            )
        for option in ("--settings", "--pythonpath"):
            command.add_argument(option, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return command

    _add_list_options(add("list", _("List tasks of every owner, page by page."), LIST_EXAMPLES))

    show = add("show", _("Show a task, its attempts, and what went wrong."))
    show.add_argument("id", metavar="ID", help=_("the task's id, or its beginning"))

    create = add("create", _("Create a task, and put it on the queue."), CREATE_EXAMPLES)
    create.add_argument("type", help=", ".join(registry.runnable_types()))
    create.add_argument(
        "--input",
        required=True,
        metavar="JSON",
        help=_("an object as the API takes it; @FILE reads it from a file, - from standard input"),
    )
    create.add_argument("--owner", required=True, help=_("whose task it shall be"))
    create.add_argument("--name", help=_("a label for people; the image's name if left out"))
    create.add_argument(
        "--wait", "--watch", action="store_true", help=_("follow it until it has ended")
    )

    watch = add("watch", _("Follow tasks until they have ended."))
    watch.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help=_("the newest %(number)s unfinished ones if none is named") % {"number": MOST},
    )
    for command in (create, watch):
        unit: dict[str, Any] = {"type": _seconds, "metavar": _("SECONDS")}
        command.add_argument("--timeout", help=_("give up watching after this time"), **unit)
        command.add_argument("--interval", default=0.5, help=_("between two looks"), **unit)

    cancel = add(
        "cancel", _("Cancel tasks: waiting ones at once, running ones by asking."), CANCEL_EXAMPLES
    )
    retry = add(
        "retry", _("Create a new task for each that failed, which does the same."), RETRY_EXAMPLES
    )
    for command in (cancel, retry):
        command.add_argument("ids", nargs="*", metavar="ID", help=_("a whole id, or its beginning"))
        _add_list_options(command, only_filters=True)
    retry.add_argument(
        "--retried",
        dest="query",
        action="append_const",
        const=("retried", "true"),
        help=_("also what has a retry that waits, runs or has succeeded"),
    )

    add("status", _("Say whether tasks run at all: exits with 0 well, 1 degraded, 2 nothing runs."))

    sweep = add(
        "sweep", _("Recover tasks of dead workers, enqueue waiting ones, purge expired ones.")
    )
    sweep.add_argument("--every", type=float, metavar=_("SECONDS"), help=_("Go on sweeping."))

    purge = add("purge", _("Delete expired tasks."))
    purge.add_argument("--dry-run", action="store_true", help=_("Only count them."))

    glance = add("import-glance", _("Copy the finished tasks of a Glance that still has them."))
    glance.add_argument(
        "dsn", metavar="DSN", help=_("the option connection in its glance-api.conf, [database]")
    )
    glance.add_argument("--dry-run", action="store_true", help=_("Only count them."))

    for command in commands.choices.values():  # of all but work, whose output is the worker's
        command.add_argument(
            "--json", action="store_true", help=_("for scripts: each answer of the API on a line")
        )

    completion = add("completion", _("Print a script that completes this command in a shell."))
    completion.add_argument("shell", choices=("bash", "zsh"))

    work = add("work", _("Run a worker's own management command, and sweep beside it."))
    work.add_argument("--every", type=float, metavar=_("SECONDS"), default=10)
    work.add_argument("worker", nargs=argparse.REMAINDER, help=_("For example: db_worker"))


def _add_list_options(parser: argparse.ArgumentParser, *, only_filters: bool = False) -> None:
    filters = parser.add_argument_group(
        _("filters"),
        _(
            "A word matches as a whole; repeated ones, or in:a,b, match any of them. A time is "
            "written\n2026-01-31 or 2026-01-31T12:00:00Z (UTC unless it says otherwise), with gt: "
            "gte: lt: lte: eq: neq:\nbefore it if need be; of repeated ones all must hold."
        ),
    )
    paging = None if only_filters else parser.add_argument_group(_("order and pages"))
    helps = {
        "type": ", ".join(registry.types()),
        "status": ", ".join(Status.values),
        "sort_key": _("may be repeated: %(keys)s") % {"keys": ", ".join(SORT_KEYS)},
        "sort_dir": _("asc or desc; the n-th belongs to the n-th key; desc if left out"),
        "sort": _("both in one: status:asc,created_at"),
        "limit": _("tasks on a page"),
        "marker": _("begin behind this task: the page before's last"),
    }
    metavars = {"limit": "N", "marker": "ID"}
    names: dict[str, Any] = {"limit": None, "marker": None}
    with suppress(ImportError):  # The system checks, which come later, say what is wrong.
        filterset: Any = conf.FILTERSET_CLASS
        names = filterset.base_filters | names
    for name, filter_ in names.items():
        group = paging if name.startswith("sort") or name in metavars else filters
        if group is None:
            continue
        word = _("TIME") if isinstance(filter_, TimesFilter) else _("WORD")
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest="query",
            action="append",
            default=[],
            type=partial(lambda *pair: pair, name),  # the value as written: the API judges
            metavar=metavars.get(name, word),
            help=helps.get(name, ""),
        )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not isfinite(seconds) or seconds < 0:
        raise argparse.ArgumentTypeError(_("not a number of seconds: %(text)s") % {"text": text})
    return seconds
