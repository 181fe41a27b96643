"""What may be written behind ``manage.py image_tasks``."""

from __future__ import annotations

from argparse import (
    REMAINDER,
    SUPPRESS,
    ArgumentParser,
    ArgumentTypeError,
    RawDescriptionHelpFormatter,
)
from functools import partial
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _

from django_image_tasks.conf import conf
from django_image_tasks.filters import TimesFilter
from django_image_tasks.handlers import registry
from django_image_tasks.management.terminal.watch import MOST
from django_image_tasks.ordering import SORT_KEYS
from django_image_tasks.states import Status


def add_to(parser: ArgumentParser) -> None:
    description = parser.description or ""
    parser.description = _(description)
    parser.epilog = _(
        "Exit codes: 0 done, 1 an error, 2 an unknown option, 3 no such task, 4 refused in this "
        "state, 5 a watched task failed, 6 it did not end in time, 130 interrupted."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar=_("command"))

    def add(name: str, help: str, epilog: str = "") -> ArgumentParser:
        command: ArgumentParser = commands.add_parser(
            name,
            help=help,
            description=help,
            conflict_handler="resolve",  # a host's own filter may be called anything
            epilog=epilog and "{}\n{}".format(_("examples:"), epilog),
            formatter_class=RawDescriptionHelpFormatter,
        )
        _add_django_options(command)
        return command

    _add_list(add("list", _("List tasks of every owner, page by page."), LIST_EXAMPLES))
    _add_show(add("show", _("Show a task, its attempts, and what went wrong.")))
    _add_create(add("create", _("Create a task, and put it on the queue."), CREATE_EXAMPLES))
    _add_watch(add("watch", _("Follow tasks until they have ended.")))
    _add_ids(add("cancel", _("Cancel tasks: waiting ones at once, running ones by asking.")))
    _add_ids(add("retry", _("Create a new task for each that failed, which does the same.")))
    _add_sweep(
        add("sweep", _("Recover tasks of dead workers, enqueue waiting ones, purge expired ones."))
    )
    _add_purge(add("purge", _("Delete expired tasks.")))
    _add_work(add("work", _("Run a worker's own management command, and sweep beside it.")))


LIST_EXAMPLES = """\
  image_tasks list --status failure --created-at gte:2026-01-31
  image_tasks list --status pending --status processing --sort status:asc,created_at
  image_tasks list --owner 7 --limit 100 --json
"""

CREATE_EXAMPLES = """\
  image_tasks create import --owner 7 --input '{"import_from": "https://example.org/a.qcow2"}'
  image_tasks create import --owner 7 --input @input.json --name 'Debian 13' --wait
"""


def _add_list(parser: ArgumentParser) -> None:
    filters = parser.add_argument_group(
        _("filters"),
        _(
            "A word matches as a whole; repeated ones, or in:a,b, match any of them. A time is "
            "written\n2026-01-31 or 2026-01-31T12:00:00Z (UTC unless it says otherwise), with gt: "
            "gte: lt: lte: eq: neq:\nbefore it if need be; of repeated ones all must hold."
        ),
    )
    paging = parser.add_argument_group(_("order and pages"))
    for name, filter_ in _filters().items():
        is_order = name in ("sort_key", "sort_dir", "sort")
        metavar = _("TIME") if isinstance(filter_, TimesFilter) else _("WORD")
        _add_parameter(paging if is_order else filters, name, metavar, _help(name))
    _add_parameter(paging, "limit", "N", _("tasks on a page"))
    _add_parameter(paging, "marker", "ID", _("begin behind this task: the page before's last"))
    _add_json(parser)


def _add_parameter(group: Any, name: str, metavar: str, help: str) -> None:
    """A parameter of the API's list: kept as it was written, for the API itself to judge."""
    group.add_argument(
        f"--{name.replace('_', '-')}",
        dest="query",
        action="append",
        default=[],
        type=partial(_pair, name),
        metavar=metavar,
        help=help,
    )


def _pair(name: str, value: str) -> tuple[str, str]:
    return name, value


def _help(name: str) -> str:
    helps = {
        "type": ", ".join(registry.types()),
        "status": ", ".join(Status.values),
        "sort_key": _("may be repeated: %(keys)s") % {"keys": ", ".join(SORT_KEYS)},
        "sort_dir": _("asc or desc; the n-th belongs to the n-th key; desc if left out"),
        "sort": _("both in one: status:asc,created_at"),
    }
    return helps.get(name, "")


def _filters() -> dict[str, Any]:
    try:
        filterset: Any = conf.FILTERSET_CLASS
    except ImportError:
        return {}  # The system checks come later. They tell what is wrong, and stop the command.
    filters: dict[str, Any] = filterset.base_filters
    return filters


def _add_show(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_("the task's id, with or without dashes"))
    _add_json(parser)


def _add_create(parser: ArgumentParser) -> None:
    parser.add_argument("type", help=", ".join(registry.runnable_types()))
    parser.add_argument(
        "--input",
        required=True,
        metavar="JSON",
        help=_("an object as the API takes it; @FILE reads it from a file, - from standard input"),
    )
    parser.add_argument("--owner", required=True, help=_("whose task it shall be"))
    parser.add_argument("--name", help=_("a label for people; the image's name if left out"))
    parser.add_argument(
        "--wait", "--watch", action="store_true", help=_("follow it until it has ended")
    )
    _add_following(parser)
    _add_json(parser)


def _add_watch(parser: ArgumentParser) -> None:
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help=_("the newest %(number)s unfinished ones if none is named") % {"number": MOST},
    )
    _add_following(parser)
    _add_json(parser)


def _add_following(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", type=_seconds, metavar=_("SECONDS"), help=_("give up watching after this time")
    )
    parser.add_argument(
        "--interval", type=_seconds, default=0.5, metavar=_("SECONDS"), help=_("between two looks")
    )


def _add_ids(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID", help=_("with or without dashes"))
    _add_json(parser)


def _add_sweep(parser: ArgumentParser) -> None:
    parser.add_argument("--every", type=float, metavar=_("SECONDS"), help=_("Go on sweeping."))
    _add_json(parser)


def _add_purge(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help=_("Only count them."))
    _add_json(parser)


def _add_work(parser: ArgumentParser) -> None:
    parser.add_argument("--every", type=float, metavar=_("SECONDS"), default=30)
    parser.add_argument("worker", nargs=REMAINDER, help=_("For example: db_worker"))


def _add_json(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help=_("for scripts: each answer of the API on a line")
    )


def _add_django_options(parser: ArgumentParser) -> None:
    """Django's own, which it takes only before the name of the command."""
    for name in ("--no-color", "--force-color", "--skip-checks", "--traceback"):
        parser.add_argument(name, action="store_true", default=SUPPRESS, help=SUPPRESS)
    for name in ("--settings", "--pythonpath"):
        parser.add_argument(name, default=SUPPRESS, help=SUPPRESS)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not isfinite(seconds) or seconds < 0:
        raise ArgumentTypeError(_("not a number of seconds: %(text)s") % {"text": text})
    return seconds
