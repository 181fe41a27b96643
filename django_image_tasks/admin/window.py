"""What a search or a filter looks for where no index has it in the list's order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _

WINDOW = 1_000
"""So many rows it looks at, and so many it finds."""


def first_ids(request: HttpRequest, rows: QuerySet[Any]) -> list[UUID]:
    """The ids of the first of these rows. Says so to the user if there are more."""
    ids = list(rows.values_list("pk", flat=True)[: WINDOW + 1])
    if len(ids) > WINDOW:
        number = number_format(WINDOW, force_grouping=True)
        text = _("Only the first %(number)s matches are shown.") % {"number": number}
        messages.warning(request, text, fail_silently=True)
    return ids[:WINDOW]
