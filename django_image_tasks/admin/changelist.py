"""The list of tasks: pages by keyset, as the API's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import UUID

import django
from django.apps import apps
from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.http import HttpRequest
from django.utils.translation import gettext as _

from django_image_tasks.admin.bounded import CAP, CAP_OF_SEVERAL, capped_count, shown
from django_image_tasks.admin.columns import with_columns
from django_image_tasks.admin.dashboard import Dashboard
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.keyset import SORT_KEYS, SortKey, parse_order
from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet

AFTER, BEFORE = "after", "before"
ABOVE = "above"
"""The list's first task, as a page that is open shows it; ``live.js`` asks what is above it."""
IDS = "ids"
"""The tasks that may change while somebody looks at them, with commas between them."""
OVERVIEW = "overview"
"""Asks for what stands above the list: ``live.js`` does, and who reads the page without it."""


class TaskChangeList(ChangeList):
    """A page and one row of look-ahead: the cost of a page does not grow with the table."""

    few: Sequence[UUID] | None = None
    """All that the filters and the search leave, where that is known to be few."""
    previous: str | None = None
    next: str | None = None
    above = 0
    """How many tasks have come before the one that ``ABOVE`` names; a page of them at most."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Out of every link: a filter, a search and another order begin at their first page.
        for name in (AFTER, BEFORE, ABOVE, IDS, OVERVIEW):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        rows: Any = super().get_queryset(request, *args, **kwargs)
        if rows.is_few:
            # Filtered once: PostgreSQL goes through all tasks of a status for it, for the page and
            # for their number.
            self.few = list(rows.order_by().values_list("pk", flat=True))
            tasks: Any = self.root_queryset
            rows = tasks.among(self.few)
        return with_columns(rows.in_order(self.sort_keys))

    def get_filters(self, request: HttpRequest) -> Any:
        """Those that the list offers. Django would look up whatever else the query names."""
        filters, has_filters, _, _, is_filtered = super().get_filters(request)
        return filters, has_filters, {}, False, is_filtered

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Sort by one column and break ties as the API does: an index has just that order."""
        term = str(super().get_ordering(request, queryset)[0])
        if term.removeprefix("-") not in SORT_KEYS:
            term = "-created_at"
        direction = "desc" if term.startswith("-") else "asc"
        self.sort_keys = parse_order([term.removeprefix("-")], [direction], [])
        return []

    def get_ordering_field_columns(self) -> dict[int, Any]:
        return dict(islice(super().get_ordering_field_columns().items(), 1))

    def get_results(self, request: HttpRequest) -> None:
        self.is_overview_asked = OVERVIEW in request.GET
        if ABOVE in request.GET:
            # An empty list had no first task.
            if (marker := self._find_marker(request.GET[ABOVE])) or not request.GET[ABOVE]:
                self.above = len(self._read(marker, backwards=bool(marker))[0])
            return
        before = request.GET.get(BEFORE)
        named = before or request.GET.get(AFTER)
        marker = self._find_marker(named)
        if named and not marker:
            text = _("The task where this page began is gone. This is the first page.")
            messages.warning(request, text, fail_silently=True)
        backwards = bool(marker and before)
        rows, is_more = self._read(marker, backwards=backwards)
        if rows and (is_more if backwards else marker):
            self.previous = self.get_query_string({BEFORE: rows[0].pk})
        if rows and (backwards or is_more):
            self.next = self.get_query_string({AFTER: rows[-1].pk})
        self.first = marker and self.get_query_string()
        self._count(rows, is_whole=not (marker or is_more))
        self.result_list = rows
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.paginator = None

    @property
    def has_overview(self) -> bool:
        """Above the first page of the whole list, and there alone."""
        return set(self.params) <= {ORDER_VAR} and not self.first

    @cached_property
    def dashboard(self) -> Dashboard | None:
        """The overview. It takes as long as the list, so ``live.js`` asks for it after the page."""
        tasks: Any = self.root_queryset
        return Dashboard.read(tasks) if self.has_overview and self.is_overview_asked else None

    @property
    def overview_query(self) -> str:
        """What asks for the overview with the page."""
        return str(self.get_query_string({OVERVIEW: "1"}))

    @property
    def has_tools_in_head(self) -> bool:
        """Whether the button that adds stands above the content, where there is no more room."""
        return django.VERSION >= (6, 1) or apps.is_installed("unfold")

    @property
    def live_query(self) -> str:
        """What ``live.js`` asks for besides the tasks that may change."""
        asked = {OVERVIEW: "1"} if self.has_overview else {}
        if not self.previous:
            asked[ABOVE] = str(self.result_list[0].pk) if self.result_list else ""
        return str(self.get_query_string(asked))

    def _read(
        self, marker: Mapping[str, Any] | None, *, backwards: bool
    ) -> tuple[list[Task], bool]:
        """The page behind the marker, or before it; and whether there is more that way."""
        rows: TaskQuerySet = self.queryset
        if backwards:
            rows = rows.in_order([SortKey(name, not down) for name, down in rows.order])
        if marker:
            rows = rows.after(marker)
        size = self.list_per_page
        page = list(rows[: size + 1])
        is_more = len(page) > size
        page = page[:size]
        return page[::-1] if backwards else page, is_more

    def _find_marker(self, text: str | None) -> Mapping[str, Any] | None:
        if not text:
            return None
        names = [key.name for key in self.queryset.order]
        return self.root_queryset.filter(pk=parse_uuid(text)).values(*names).first()

    def _count(self, rows: list[Task], *, is_whole: bool) -> None:
        filters = [self.query, *(each.used_parameters for each in self.filter_specs)]
        cap = CAP if sum(map(bool, filters)) <= 1 else CAP_OF_SEVERAL
        known = rows if is_whole else self.few
        total = capped_count(self.queryset, cap) if known is None else len(known)
        self.total, self.total_shown = total, shown(total, cap)
        # Django offers to act on that many; of more than can be counted, on the page only.
        self.result_count = self.full_result_count = total if total <= cap else len(rows)
