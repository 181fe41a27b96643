"""The list's query parameters as a django-filter FilterSet.

See docs/reference/http.md, "Listing tasks".
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from typing import Any, Self

from django.db.models import Q
from django.forms import Form
from django.http import HttpRequest
from django_filters import Filter, FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ParseError
from rest_framework.views import APIView

from django_image_tasks.forms import (
    Comparison,
    DirectionSelect,
    RepeatedField,
    RepeatedSelect,
    TaskFilterForm,
    TimesField,
    WordsField,
)
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.models import Task
from django_image_tasks.ordering import SORT_KEYS
from django_image_tasks.querysets import TaskQuerySet
from django_image_tasks.states import Status

__all__ = ["TaskFilterSet", "TimesFilter", "WordsFilter"]


class QueryFilter(Filter):
    """A filter of this API: it looks at the parameter of its own name, and keeps no state."""

    def __deepcopy__(self, memo: Any) -> Self:
        # Made for every request; copy.copy() would take five times as long.
        other = self.__new__(type(self))
        other.__dict__ = self.__dict__.copy()
        return other


class WordsFilter(QueryFilter):
    """Equality with any of the words."""

    field_class = WordsField

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name, param=field_name, **kwargs)

    def filter(self, qs: TaskQuerySet, value: Sequence[Any]) -> TaskQuerySet:
        if not value:
            return qs
        # No database stores a NUL, and PostgreSQL will not even compare with one.
        words = [word for word in value if "\0" not in str(word)]
        return self.rows(qs, words)

    def rows(self, qs: TaskQuerySet, words: Sequence[Any]) -> TaskQuerySet:
        if len(words) == 1:
            return qs.filter((self.field_name, words[0]))
        return qs.filter((f"{self.field_name}__in", words))


class IndexedWordsFilter(WordsFilter):
    """Of a column with many values, each of which few tasks may have."""

    def rows(self, qs: TaskQuerySet, words: Sequence[Any]) -> TaskQuerySet:
        return qs.with_any(self.field_name, words)


class TimesFilter(QueryFilter):
    """Comparisons with a time, all of which must hold."""

    field_class = TimesField

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name, param=field_name, **kwargs)

    def filter(self, qs: TaskQuerySet, value: Sequence[Comparison]) -> TaskQuerySet:
        for comparison in value:
            qs = qs.compare(self.field_name, self._rows(comparison))
        return qs

    def _rows(self, comparison: Comparison) -> Q:
        name, (operator, first, last) = self.field_name, comparison
        match operator:
            case "eq":
                return Q((f"{name}__range", (first, last)))
            case "neq":
                return ~Q((f"{name}__range", (first, last)))
            case "gt" | "lte":
                return Q((f"{name}__{operator}", last))
            case _:
                return Q((f"{name}__{operator}", first))


class SortFilter(QueryFilter):
    """Part of the order, which the FilterSet applies as a whole."""

    field_class = RepeatedField

    def filter(self, qs: TaskQuerySet, value: Sequence[str]) -> TaskQuerySet:
        return qs


def _choices(values: Sequence[str]) -> list[tuple[str, str]]:
    return [("", "---------"), *((value, value) for value in values)]


class TypeSelect(RepeatedSelect):
    """Lists the types that are registered when it is shown."""

    def optgroups(self, *args: Any, **kwargs: Any) -> Any:
        self.choices = _choices(registry.types())
        return super().optgroups(*args, **kwargs)


class TaskFilterSet(FilterSet):
    """Maps the query of ``GET /v2/tasks`` onto a queryset; subclass it to add parameters."""

    type = WordsFilter(
        "type",
        parse=lambda word: word if word in registry.types() else None,
        widget=TypeSelect,
    )
    status = WordsFilter(
        "status",
        parse=lambda word: word if word in Status.values else None,
        widget=RepeatedSelect(choices=_choices(Status.values)),
    )
    id = WordsFilter("id", parse=parse_uuid)
    name = IndexedWordsFilter("name")
    owner = IndexedWordsFilter("owner")
    image_id = IndexedWordsFilter("image_id")
    user_id = IndexedWordsFilter("user_id")
    request_id = IndexedWordsFilter("request_id")
    created_at = TimesFilter("created_at")
    updated_at = TimesFilter("updated_at")
    expires_at = TimesFilter("expires_at")
    sort_key = SortFilter(label="Sort key", widget=RepeatedSelect(choices=_choices(SORT_KEYS)))
    sort_dir = SortFilter(
        label="Sort direction", widget=DirectionSelect(choices=_choices(["asc", "desc"]))
    )
    sort = SortFilter(label="Sort")

    class Meta:
        model = Task
        fields: Sequence[str] = ()
        form = TaskFilterForm

    def get_form_class(self) -> builtins.type:
        """Only the fields that the query names: making all of them costs more than the page."""
        return self._form_class(
            name
            for name, filter_ in self.filters.items()
            if name in self.data or not isinstance(filter_, QueryFilter)
        )

    @property
    def whole_form(self) -> Form:
        """Every field, for a page to show."""
        return self._form_class(self.filters)(self.data)  # type: ignore[no-any-return]

    def _form_class(self, names: Iterable[str]) -> builtins.type:
        fields = {name: self.filters[name].field for name in names}
        return builtins.type("TaskFilterForm", (self._meta.form,), fields)

    def filter_queryset(self, queryset: TaskQuerySet) -> TaskQuerySet:
        rows: TaskQuerySet = super().filter_queryset(queryset)
        return rows.in_order(self.form.ordering)


class TaskFilterBackend(DjangoFilterBackend):
    """Answers with the first error alone, in the contract's words."""

    template = "django_image_tasks/filter_form.html"

    def filter_queryset(self, request: HttpRequest, queryset: Any, view: APIView) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        if not filterset.is_valid():
            [message, *_] = next(iter(filterset.errors.values()))
            raise ParseError(message)
        return filterset.qs
