"""The list's query parameters as a django-filter FilterSet.

See docs/reference/http.md, "Listing tasks".
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import Any, Self

from django.forms import Form
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django_filters import Filter, FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.forms import (
    Comparison,
    DirectionSelect,
    RepeatedField,
    RepeatedSelect,
    RepeatedTicks,
    TaskFilterForm,
    TimesField,
    WordsField,
)
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.keyset import SORT_KEYS, parse_order
from django_image_tasks.models import Task
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import Status

__all__ = ["TaskFilterSet", "TimesFilter", "WordsFilter"]

NEWEST_FIRST = parse_order([], [], [])


class QueryFilter(Filter):
    """A filter of this API: it looks at the parameter of its own name, and keeps no state."""

    def __deepcopy__(self, memo: Any) -> Self:
        # Made for every request; copy.copy() would take five times as long.
        other = self.__new__(type(self))
        other.__dict__ = self.__dict__.copy()
        return other


class WordsFilter(QueryFilter):
    """A parameter that equals a column, or one of several words.

    ``is_indexed`` says that an index begins with the column; ``is_rare``, that a value which
    somebody asks for is one that few tasks have, though most may have one and the same.
    """

    field_class = WordsField

    def __init__(
        self, field_name: str, *, is_indexed: bool = False, is_rare: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(field_name, param=field_name, **kwargs)
        self.is_indexed, self.is_rare = is_indexed, is_rare

    def filter(self, qs: TaskQuerySet, value: Sequence[Any]) -> TaskQuerySet:
        if not value:
            return qs
        # No database stores a NUL, and PostgreSQL will not even compare with one.
        words = [word for word in value if "\0" not in str(word)]
        if self.field_name == "id":
            return qs.among(words)
        if len(words) == 1:
            return qs.hold(self.field_name, words[0], is_rare=self.is_rare)
        if self.is_indexed:
            return qs.any_of(self.field_name, words)
        return qs.compare(self.field_name, "in", *words)


class TimesFilter(QueryFilter):
    """Comparisons with a time, all of which must hold."""

    field_class = TimesField

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name, param=field_name, **kwargs)

    def filter(self, qs: TaskQuerySet, value: Sequence[Comparison]) -> TaskQuerySet:
        for operator, first, last in value:
            match operator:
                case "eq":
                    qs = qs.compare(self.field_name, "range", first, last)
                case "neq":
                    qs = qs.compare(self.field_name, "not_range", first, last)
                case "gt" | "lte":
                    qs = qs.compare(self.field_name, operator, last)
                case _:
                    qs = qs.compare(self.field_name, operator, first)
        return qs


class OrderParameter(QueryFilter):
    """One of the parameters that say the order. It filters nothing: the FilterSet sorts, by all."""

    field_class = RepeatedField

    def filter(self, qs: TaskQuerySet, value: Sequence[str]) -> TaskQuerySet:
        return qs


def _choices(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class TaskFilterSet(FilterSet):
    """Maps the query of ``GET /v2/tasks`` onto a queryset; subclass it to add parameters."""

    type = WordsFilter(
        "type",
        parse=lambda word: word if word in registry.types() else None,
        widget=RepeatedTicks(choices=lambda: _choices(registry.types())),  # type: ignore[arg-type]
    )
    status = WordsFilter(
        "status",
        parse=lambda word: word if word in Status.values else None,
        widget=RepeatedTicks(choices=Status.choices),
    )
    id = WordsFilter("id", parse=parse_uuid, label=_("ID"))
    name = WordsFilter("name", is_indexed=True)
    owner = WordsFilter("owner", is_indexed=True)
    image_id = WordsFilter("image_id", is_indexed=True, is_rare=True)
    user_id = WordsFilter("user_id", is_indexed=True, is_rare=True)
    request_id = WordsFilter("request_id", is_indexed=True, is_rare=True)
    created_at = TimesFilter("created_at")
    updated_at = TimesFilter("updated_at")
    expires_at = TimesFilter("expires_at")
    sort_key = OrderParameter(label="Sort key", widget=RepeatedSelect(choices=_choices(SORT_KEYS)))
    sort_dir = OrderParameter(
        label="Sort direction", widget=DirectionSelect(choices=_choices(["asc", "desc"]))
    )
    sort = OrderParameter(label="Sort")

    class Meta:
        model = Task
        fields: Sequence[str] = ()
        form = TaskFilterForm

    def get_form_class(self) -> builtins.type:
        """Only the fields that the query names: making all of them costs more than the page."""
        names = tuple(
            name
            for name, filter_ in self.filters.items()
            if name in self.data or not isinstance(filter_, QueryFilter)
        )
        return _kept_form_class(names) if type(self) is TaskFilterSet else self._form_class(names)

    @property
    def whole_form(self) -> Form:
        """Every field, for a page to show."""
        return self._form_class(self.filters)(self.data)  # type: ignore[no-any-return]

    def _form_class(self, names: Iterable[str]) -> builtins.type:
        fields = {name: self.filters[name].field for name in names}
        return builtins.type("TaskFilterForm", (self._meta.form,), fields)

    def filter_queryset(self, queryset: TaskQuerySet) -> TaskQuerySet:
        rows: TaskQuerySet = super().filter_queryset(queryset)
        return rows.in_order(self.form.asked_order)


@lru_cache
def _kept_form_class(names: Iterable[str]) -> builtins.type:
    return TaskFilterSet()._form_class(names)


PARAMETERS = frozenset(TaskFilterSet.base_filters)


class TaskFilterBackend(DjangoFilterBackend):
    """Answers with the first error alone, in the contract's words."""

    template = "django_image_tasks/filter_form.html"

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """The rows that the query asks for; the view keeps the FilterSet for its page.

        Raises :exc:`~django_image_tasks.exceptions.InvalidInput`.
        """
        filterset: Any = SimpleLazyObject(partial(self.get_filterset, request, queryset, view))
        view.filterset = filterset
        if view.filterset_class is TaskFilterSet and PARAMETERS.isdisjoint(request.query_params):
            return queryset.in_order(NEWEST_FIRST)
        if not filterset.is_valid():
            [message, *_] = next(iter(filterset.errors.values()))
            raise InvalidInput(message)
        return filterset.qs


def choosing_filters(filterset_class: Any) -> list[str]:
    """The parameters that say which tasks are listed, and not in which order."""
    filters = filterset_class.base_filters.items()
    return [name for name, filter_ in filters if not isinstance(filter_, OrderParameter)]


def check_choice(request: Request, filterset_class: Any, more: Sequence[str]) -> None:
    """Refuse a query that is to choose tasks for an action, and holds what no filter reads.

    Raises InvalidInput: a misspelled parameter must not choose all the tasks.
    """
    filters = choosing_filters(filterset_class)
    known = {*filters, "limit", "marker", *more}
    for name in request.query_params:
        if name not in known:
            raise InvalidInput(f"Unknown parameter: {name}")
    if not any(any(request.query_params.getlist(name)) for name in filters):
        raise InvalidInput("At least one filter is required.")


def wants_retried(request: Request) -> bool:
    """Whether tasks that have a retry already are to have another one. Raises InvalidInput."""
    values = [value for value in request.query_params.getlist("retried") if value]
    if values and values[-1] not in ("true", "false"):
        raise InvalidInput(f"Invalid retried value: {values[-1]}")
    return values[-1:] == ["true"]
