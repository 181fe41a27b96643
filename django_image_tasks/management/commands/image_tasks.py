"""``manage.py image_tasks``: one method for each of its commands."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.color import no_style
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from django_image_tasks import health
from django_image_tasks.health import Level
from django_image_tasks.management.terminal import (
    completion,
    glance,
    operator_api,
    options,
    status,
    watch,
)
from django_image_tasks.management.terminal.exits import Exit, reader_may_leave, refusals
from django_image_tasks.management.terminal.output import JSONOutput, TextOutput
from django_image_tasks.management.terminal.screen import ScreenOutput
from django_image_tasks.models import Attempt
from django_image_tasks.states import FINISHED
from django_image_tasks.sweep import purge, sweep, sweep_every
from django_image_tasks.sweep_process import sweeping
from django_image_tasks.unmigrated import missing_migrations


class Command(BaseCommand):
    help = gettext_noop(
        "Lists, shows, creates, watches, cancels and retries image tasks; keeps them going."
    )

    output: TextOutput
    parser: CommandParser

    def add_arguments(self, parser: CommandParser) -> None:
        self.parser = parser
        options.add_to(parser)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run as with ``--no-color`` where the environment says that no colours are wanted."""
        wants_none = os.environ.get("NO_COLOR") or not has_cursor()
        options["no_color"] |= bool(wants_none) and not options["force_color"]
        return super().execute(*args, **options)

    def handle(self, *, command: str, force_color: bool, **options: Any) -> None:
        is_terminal = self.stdout.isatty()
        style = self.style if is_terminal or force_color else no_style()
        for_people = ScreenOutput if is_terminal and has_cursor() else TextOutput
        cls = JSONOutput if options.get("json") else for_people
        self.output = cls(self.stdout, self.stderr, style)
        if command == "work":  # whose errors and broken pipes are the worker's own
            self.work(**options)
        else:
            with reader_may_leave(), refusals():
                getattr(self, command.replace("-", "_"))(**options)

    def list(self, *, query: Sequence[tuple[str, str]], **options: Any) -> None:
        page = operator_api.list_tasks(query)
        tasks = page["tasks"]
        if "message" in self.output.columns:
            tasks = operator_api.with_messages(tasks)
        self.output.answer(page, self.output.page(tasks))
        if not page["tasks"]:
            self.output.hint(_("No tasks."))
        if "next" in page:
            self.output.hint(_("More:"))
            self.output.hint(next_page(query, page["tasks"][-1]["id"], options))

    def show(self, *, id: str, **options: Any) -> None:
        task = operator_api.get_task(operator_api.whole_id(id))
        attempts = [*Attempt.objects.filter(task=task["id"])]
        self.output.answer(task, self.output.task(task, attempts))

    def create(
        self, *, type: str, input: str, owner: str, name: str | None, wait: bool, **options: Any
    ) -> None:
        task = operator_api.create_task(type, read_json(input), owner=owner, name=name)
        self.output.answer(task, [_("Created task %(id)s.") % task])
        if wait:
            self.watch(ids=[task["id"]], **options)

    def watch(
        self, *, ids: Sequence[str], interval: float, timeout: float | None, **options: Any
    ) -> None:
        tasks = (
            watch.find(list(map(operator_api.whole_id, ids))) if ids else watch.newest_unfinished()
        )
        if tasks:
            watch.follow(tasks, self.output, interval=interval, timeout=timeout)
        else:
            self.output.hint(_("No task is unfinished."))

    def cancel(
        self, *, ids: Sequence[str], query: Sequence[tuple[str, str]], **options: Any
    ) -> None:
        if not ids:
            told = _(
                "%(cancelled)s cancelled, %(stopping)s asked to stop, %(skipped)s left as they are."
            )
            self.many("cancel", query, told)
            return
        refuse_both(ids, query)
        for _pk, task in self.each(ids, operator_api.cancel_task):
            ended = task["status"] in FINISHED
            told = _("Cancelled task %(id)s.") if ended else _("Asked task %(id)s to stop.")
            self.output.answer(task, [told % task])

    def retry(
        self, *, ids: Sequence[str], query: Sequence[tuple[str, str]], **options: Any
    ) -> None:
        if not ids:
            told = _("%(retried)s retried, %(skipped)s left as they are.")
            self.many("retry", query, told)
            return
        refuse_both(ids, query)
        told = _("Created task %(id)s, which does the same as %(failed)s.")
        for pk, task in self.each(ids, operator_api.retry_task):
            self.output.answer(task, [told % {**task, "failed": pk}])

    def many(self, action: str, query: Sequence[tuple[str, str]], told: str) -> None:
        """Act on all the tasks of a query; says after each thousand how many it were."""
        for answer in operator_api.act_on_many(action, query):
            self.output.answer(answer, [told % answer])

    def each(self, ids: Sequence[str], act: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
        """Act on every task, even after one that is refused; yields each id with the answer.

        Raises CommandError if any was refused, with the exit code of the first.
        """
        refused = []
        for pk in ids:
            try:
                with refusals():
                    pk = operator_api.whole_id(pk)
                    task = act(pk)
            except CommandError as error:
                if len(ids) == 1:
                    raise
                self.stderr.write(str(error))
                refused.append(error)
            else:
                yield pk, task
        if refused:
            told = ngettext(
                "%(number)s task was refused.", "%(number)s tasks were refused.", len(refused)
            )
            raise CommandError(told % {"number": len(refused)}, returncode=refused[0].returncode)

    def sweep(self, *, every: float | None, **options: Any) -> None:
        if every is None:
            swept = vars(sweep())
            told = ", ".join(f"{key}: {value}" for key, value in swept.items())
            return self.output.answer(swept, [told])
        with suppress(KeyboardInterrupt):
            return sweep_every(every)

    def purge(self, *, dry_run: bool, **options: Any) -> None:
        purged = purge(dry_run=dry_run)
        if dry_run:
            told = ngettext(
                "%(purged)s expired task would be deleted.",
                "%(purged)s expired tasks would be deleted.",
                purged,
            )
        else:
            told = ngettext(
                "%(purged)s expired task deleted.", "%(purged)s expired tasks deleted.", purged
            )
        self.output.answer({"purged": purged}, [told % {"purged": purged}])

    def status(self, **options: Any) -> None:
        """Say how it goes. Exits with the level, for monitoring."""
        seen = health.look()
        colour = {Level.WELL: "success", Level.DEGRADED: "pending"}.get(seen.level, "failure")
        name = self.output.paint(colour, status.NAMES[seen.level])
        table = self.output.table([], [*status.rows(seen)])
        self.output.answer(status.document(seen), [name, *seen.reasons, *table])
        if seen.level:
            sys.stdout.flush()
            sys.exit(seen.level)

    def import_glance(self, *, dsn: str, dry_run: bool, **options: Any) -> None:
        """Copy what can be copied, and name the rest."""
        done = glance.copy(dsn, dry_run=dry_run)
        counts = {"copied": done.copied, "here": done.already_here, "refused": len(done.refused)}
        told = _("%(copied)s copied, %(here)s were here already, %(refused)s refused.")
        if dry_run:
            told = _("%(copied)s to be copied, %(here)s are here already, %(refused)s refused.")
        self.output.answer(vars(done), [told % counts])
        for pk, reason in done.refused.items():
            self.stderr.write(_("Task %(id)s: %(reason)s.") % {"id": pk, "reason": reason})
        if done.refused:
            raise CommandError(_("Not every task was copied."), returncode=Exit.REFUSED)

    def completion(self, *, shell: str, **options: Any) -> None:
        self.stdout.write(completion.script(self.parser, shell))

    def work(self, *, every: float, worker: Sequence[str], **options: Any) -> None:
        if not worker:
            raise CommandError(_("Name the worker's own command: image_tasks work db_worker"))
        with suppress(DatabaseError):  # one that is away is the worker's to wait for
            if told := missing_migrations():
                raise CommandError(told)
        connections.close_all()  # or else a worker that forks would share it with its children
        with sweeping(every):
            call_command(*worker)


def refuse_both(ids: Sequence[str], query: Sequence[tuple[str, str]]) -> None:
    if ids and query:
        raise CommandError(_("Name tasks or filters, not both."))


def has_cursor() -> bool:
    """Whether a terminal, if this is one, can colour text and draw over it."""
    return os.environ.get("TERM") not in ("dumb", "unknown")


def next_page(query: Sequence[tuple[str, str]], marker: str, options: Mapping[str, Any]) -> str:
    """The line for a shell that lists the page after the task that the marker names."""
    name, started = "image_tasks", sys.orig_argv
    # A host's Python may have called the command: then nobody has typed how to start it.
    program = started[: started.index(name)] if name in started else ["python", "manage.py"]
    settings = [(key, options[key]) for key in ("settings", "pythonpath") if options.get(key)]
    kept = [pair for pair in [*settings, *query] if pair[0] != "marker"]
    words = [f"--{key.replace('_', '-')}={value}" for key, value in [*kept, ("marker", marker)]]
    return shlex.join([*program, name, "list", *words])


def read_json(source: str) -> Any:
    """The value of JSON text, of the file that ``@file`` names, or of standard input for ``-``.

    Raises CommandError for what is not JSON, or cannot be read.
    """
    try:
        if source == "-":
            return json.load(sys.stdin.buffer)
        return json.loads(Path(source[1:]).read_bytes() if source.startswith("@") else source)
    except OSError as error:
        reason = f"{source.removeprefix('@')}: {error.strerror}"
    except RecursionError:
        reason = _("it is nested too deeply")
    except ValueError as error:  # also for bytes that are not UTF-8, and for too many digits
        reason = str(error)
    raise CommandError(_("The input cannot be read as JSON: %(reason)s") % {"reason": reason})
