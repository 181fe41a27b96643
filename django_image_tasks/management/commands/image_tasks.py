from __future__ import annotations

from argparse import REMAINDER
from contextlib import suppress
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_image_tasks.sweep import purge, sweep, sweep_every
from django_image_tasks.sweeper import sweeping


class Command(BaseCommand):
    help = "Looks after image tasks: recovers, enqueues, deletes what has expired."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)

        sweeping = commands.add_parser(
            "sweep", help="Recover tasks of dead workers, enqueue waiting ones, purge expired ones."
        )
        sweeping.add_argument("--every", type=float, metavar="SECONDS", help="Go on sweeping.")

        purging = commands.add_parser("purge", help="Delete expired tasks.")
        purging.add_argument("--dry-run", action="store_true", help="Only count them.")

        working = commands.add_parser(
            "work", help="Run a worker's own management command, and sweep beside it."
        )
        working.add_argument("--every", type=float, metavar="SECONDS", default=30)
        working.add_argument("worker", nargs=REMAINDER, help="For example: db_worker")

    def handle(self, *, command: str, **options: Any) -> None:
        getattr(self, command)(**options)

    def sweep(self, *, every: float | None, **options: Any) -> None:
        if every is None:
            swept = vars(sweep())
            return self.stdout.write(", ".join(f"{key}: {value}" for key, value in swept.items()))
        with suppress(KeyboardInterrupt):
            return sweep_every(every)

    def purge(self, *, dry_run: bool, **options: Any) -> None:
        purged = purge(dry_run=dry_run)
        self.stdout.write(f"{purged} expired tasks {'would be ' if dry_run else ''}deleted.")

    def work(self, *, every: float, worker: list[str], **options: Any) -> None:
        if not worker:
            raise CommandError("Name the worker's own command: image_tasks work db_worker")
        with sweeping(every):
            call_command(*worker)
