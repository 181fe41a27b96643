"""The list's query parameters, from the FilterSet and the pagination that read them."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import OpenApiFilterExtension

from django_image_tasks.filters import OrderParameter, QueryFilter, TimesFilter, WordsFilter
from django_image_tasks.forms import MAX_COMPARISONS, MAX_VALUES, OPERATORS
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.keyset import SORT_KEYS

# An empty value is as good as none.
_DATE = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"{_HOUR}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_HOUR})?"
TIME = f"(({'|'.join(OPERATORS)}):)?{_DATE}([T ]{_TIME})?"
_HEX = "[0-9a-fA-F]"
UUID = f"({_HEX}{{32}}|{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}})"
_TERM = f"({'|'.join(SORT_KEYS)})(:(asc|desc)?)?"
SORT = f"{_TERM}(,{_TERM})*"

ANY = (
    f"Repeated, or as one `in:a,b` (values may be quoted), at most {MAX_VALUES}: "
    "any of them matches."
)
COMPARED = (
    "ISO 8601, UTC where no zone is given, or `gt:` `gte:` `lt:` `lte:` `eq:` `neq:` before one. "
    f"Repeated, at most {MAX_COMPARISONS} times: all must hold."
)
SORTED = {
    "sort_key": "What to sort by, most significant first. `created_at` and `id` break ties.",
    "sort_dir": "The n-th belongs to the n-th `sort_key`; `desc` where there is none.",
    "sort": "Both in one, `status:asc,created_at`; not together with `sort_key` or `sort_dir`.",
}


class TaskFilterExtension(DjangoFilterExtension):
    """Our own filters; those that a host's FilterSet adds are drf-spectacular's to describe."""

    target_class = "django_image_tasks.filters.TaskFilterBackend"
    priority = 1

    def resolve_filter_field(
        self, auto_schema: Any, model: Any, filterset_class: Any, name: str, filter_: Any
    ) -> Any:
        match filter_:
            case WordsFilter():
                words = ", ".join(f"`{word}`" for word in _choices(filter_))
                description = f"{words and f'Of {words}. '}{ANY}"
                return [_repeated(name, _word(filter_), MAX_VALUES, description)]
            case TimesFilter():
                return [_repeated(name, _matching(TIME), MAX_COMPARISONS, COMPARED)]
            case OrderParameter() if auto_schema.view.acts_on_many:
                return []
            case OrderParameter():
                return [_repeated(name, _sort(filter_), len(SORT_KEYS), SORTED.get(name, ""))]
            case _:
                return super().resolve_filter_field(
                    auto_schema, model, filterset_class, name, filter_
                )


class MarkerPaginationExtension(OpenApiFilterExtension):
    """``limit`` and ``marker``."""

    target_class = "django_image_tasks.pagination.MarkerPagination"
    match_subclasses = True

    def get_schema_operation_parameters(self, auto_schema: Any, *args: Any, **kwargs: Any) -> Any:
        default, most = auto_schema.view.paginator.get_limits()
        limit = {"type": "integer", "minimum": 0, "default": default}
        return [
            _query("limit", limit, f"Tasks on a page; {most} at most."),
            _query("marker", _matching(UUID), "The id of the last task of the page before."),
        ]


def _repeated(name: str, items: Any, most: int, description: str) -> dict[str, Any]:
    schema = {"type": "array", "items": items, "maxItems": most}
    return _query(name, schema, description) | {"style": "form", "explode": True}


def _query(name: str, schema: Any, description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": schema, "description": description}


def _word(filter_: QueryFilter) -> dict[str, Any]:
    is_id = filter_.extra.get("parse") is parse_uuid
    word = UUID if is_id else "|".join(map(re.escape, _choices(filter_)))
    if not word:
        return {"type": "string"}
    item = f'(({word})|"({word})")'
    return _matching(f"{word}|in:{item}(,{item})*")


def _sort(filter_: QueryFilter) -> dict[str, Any]:
    words = _choices(filter_)
    return {"type": "string", "enum": [*words, ""]} if words else _matching(SORT)


def _matching(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})?$"}


def _choices(filter_: QueryFilter) -> list[str]:
    widget = filter_.extra.get("widget")
    return [value for value, _ in getattr(widget, "choices", []) if value]
