"""What the templates of the API's pages load: badges, JSON, and the controls of the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.safestring import SafeString

from django_image_tasks.artifacts import artifacts
from django_image_tasks.browsable import query_form
from django_image_tasks.browsable.badges import progress_bar, status_badge
from django_image_tasks.browsable.json_html import coloured
from django_image_tasks.measures import relative_time

register = template.Library()
register.filter(artifacts)
register.filter("coloured_json", coloured)
register.filter(relative_time)
register.filter(status_badge)
register.filter(query_form.time_range)


@register.simple_tag
def query_controls(filterset: Any) -> query_form.QueryForm:
    """The list's query as the controls of a form."""
    return query_form.QueryForm(filterset)


@register.simple_tag
def sortable_heads(filterset: Any, *keys: str) -> Sequence[query_form.Head]:
    """The heads of columns that sort the list when they are clicked."""
    return query_form.heads(filterset, keys)


@register.filter
def api_progress(task: Mapping[str, Any]) -> SafeString:
    """The bar of a task as the API shows it, perhaps with a host's own fields."""
    name = task.get("name") or task["id"]
    return progress_bar(task["status"], task.get("progress") or 0, name)


@register.filter
def readable_time(text: str) -> str:
    """A time of the API, ``2026-07-01T09:30:00Z``, as people write it: ``2026-07-01 09:30:00``."""
    return text.replace("T", " ").removesuffix("Z")
