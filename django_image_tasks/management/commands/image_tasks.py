from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any
from urllib.parse import parse_qsl

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.management.terminal import api, json_input, options, watch
from django_image_tasks.management.terminal.exits import in_one_line, reader_may_leave
from django_image_tasks.management.terminal.faces import face_for
from django_image_tasks.management.terminal.plain import Plain
from django_image_tasks.models import Attempt
from django_image_tasks.states import FINISHED
from django_image_tasks.sweep import purge, sweep, sweep_every
from django_image_tasks.sweep_process import sweeping


class Command(BaseCommand):
    help = gettext_noop(
        "Lists, shows, creates, watches, cancels and retries image tasks; keeps them going."
    )

    face: Plain

    def add_arguments(self, parser: CommandParser) -> None:
        options.add_to(parser)

    def handle(self, *, command: str, **options: Any) -> None:
        self.face = face_for(self.stdout, self.stderr, **options)
        # A worker's broken pipes are its own.
        with nullcontext() if command == "work" else reader_may_leave():
            getattr(self, command)(**options)

    def list(self, *, query: api.Query, **options: Any) -> None:
        with in_one_line():
            answer = api.ask("list", query=query)
        self.face.page(answer)
        if "next" in answer:
            self.face.hint(_("More: %(command)s") % {"command": _next(query, answer["next"])})

    def show(self, *, id: str, **options: Any) -> None:
        with in_one_line():
            task = api.ask("retrieve", pk=id)
        self.face.task(task, [*Attempt.objects.filter(task=parse_uuid(id))])

    def create(
        self,
        *,
        type: str,
        input: str,
        owner: str,
        name: str | None,
        wait: bool,
        interval: float,
        timeout: float | None,
        **options: Any,
    ) -> None:
        body = {"type": type, "input": json_input.read(input)}
        if name is not None:
            body["name"] = name
        with in_one_line():
            task = api.create(body, owner=owner)
        self.face.done(task, _("Created task %(id)s.") % task)
        if wait:
            watch.follow(watch.find([task["id"]]), self.face, interval=interval, timeout=timeout)

    def watch(
        self, *, ids: Sequence[str], interval: float, timeout: float | None, **options: Any
    ) -> None:
        tasks = watch.find(ids) if ids else watch.newest_unfinished()
        if tasks:
            watch.follow(tasks, self.face, interval=interval, timeout=timeout)
        else:
            self.face.hint(_("No task is unfinished."))

    def cancel(self, *, ids: Sequence[str], **options: Any) -> None:
        def cancel(pk: str) -> None:
            task = api.ask("cancel", pk=pk)
            ended = task["status"] in FINISHED
            told = _("Cancelled task %(id)s.") if ended else _("Asked task %(id)s to stop.")
            self.face.done(task, told % task)

        self.each(ids, cancel)

    def retry(self, *, ids: Sequence[str], **options: Any) -> None:
        def retry(pk: str) -> None:
            task = api.ask("retry", pk=pk)
            told = _("Created task %(id)s, which does the same as %(failed)s.")
            self.face.done(task, told % {**task, "failed": pk})

        self.each(ids, retry)

    def each(self, ids: Sequence[str], act: Callable[[str], None]) -> None:
        """Go on after one that is refused; the first of them decides the exit code."""
        refused = []
        for pk in ids:
            try:
                with in_one_line():
                    act(pk)
            except CommandError as error:
                if len(ids) == 1:
                    raise
                self.stderr.write(str(error))
                refused.append(error)
        if refused:
            told = ngettext(
                "%(number)s task was refused.", "%(number)s tasks were refused.", len(refused)
            )
            raise CommandError(told % {"number": len(refused)}, returncode=refused[0].returncode)

    def sweep(self, *, every: float | None, **options: Any) -> None:
        if every is None:
            swept = vars(sweep())
            told = ", ".join(f"{key}: {value}" for key, value in swept.items())
            return self.face.counts(swept, told)
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
        self.face.counts({"purged": purged}, told % {"purged": purged})

    def work(self, *, every: float, worker: Sequence[str], **options: Any) -> None:
        if not worker:
            raise CommandError(_("Name the worker's own command: image_tasks work db_worker"))
        with sweeping(every):
            call_command(*worker)


def _next(query: api.Query, link: str) -> str:
    """What to write for the page after this one."""
    marker = parse_qsl(link)[-1]
    kept = [pair for pair in query if pair[0] != "marker"]
    options = [f"--{name.replace('_', '-')}={value}" for name, value in [*kept, marker]]
    return shlex.join(["image_tasks", "list", *options])
