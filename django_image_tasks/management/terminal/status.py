"""How it goes, as ``image_tasks status`` prints it: for people, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from django_image_tasks.health import LARGEST, Health, Level
from django_image_tasks.measures import duration
from django_image_tasks.serializers import wire_time

NAMES = {
    Level.WELL: "well",
    Level.DEGRADED: "degraded",
    Level.NOTHING_RUNS: "nothing runs",
}


def document(seen: Health) -> dict[str, Any]:
    waits = seen.next and {"id": str(seen.next.pk), "since": wire_time(seen.next.since)}
    silences = seen.silences
    return {
        "status": NAMES[seen.level],
        "reasons": seen.reasons,
        "due": seen.due,
        "next_due": waits,
        "waiting": dict(seen.waiting[:LARGEST]),
        "running": dict(seen.running_by_owner),
        "failed_last_hour": seen.failed,
        "last_start": seen.started_at and wire_time(seen.started_at),
        "last_sweep": seen.swept_at
        and {"ran_at": wire_time(seen.swept_at), "sweeper": seen.sweeper},
        "workers": [
            {
                "name": name,
                "silent": round(silences[name].total_seconds(), 1),
                "tasks": [
                    {"id": str(each.pk), "name": each.name, "owner": each.owner} for each in tasks
                ],
            }
            for name, tasks in seen.workers.items()
        ],
    }


def rows(seen: Health) -> Iterator[tuple[str, str]]:
    """A heading and what there is to say below it."""
    ago = _("%(time)s ago")
    due = str(seen.due)
    if seen.next:
        waited = duration(seen.now - seen.next.since)
        due = _("%(number)s, the next for %(time)s") % {"number": due, "time": waited}
    yield _("due"), due
    for heading, owners in ((_("waiting"), seen.waiting), (_("running"), seen.running_by_owner)):
        yield heading, ", ".join(f"{owner} {number}" for owner, number in owners[:LARGEST]) or "0"
    yield _("failed"), _("%(number)s within the hour") % {"number": seen.failed}
    if seen.started_at:
        yield _("last start"), ago % {"time": duration(seen.now - seen.started_at)}
    if seen.swept_at:
        swept = ago % {"time": duration(seen.now - seen.swept_at)}
        yield _("last sweep"), _("%(ago)s by %(name)s") % {"ago": swept, "name": seen.sweeper}
    for name, tasks in seen.workers.items():
        yield name, ", ".join(each.name or str(each.pk)[:8] for each in tasks)
