"""For the templates of the browsable API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template

from django_image_tasks.browsable import query_form
from django_image_tasks.browsable.json_markup import json_markup
from django_image_tasks.states import Status

register = template.Library()
register.filter(json_markup)


@register.simple_tag
def query_controls(filterset: Any) -> query_form.QueryForm:
    return query_form.QueryForm(filterset)


@register.simple_tag
def sortable_heads(filterset: Any, *keys: str) -> Sequence[query_form.Head]:
    return query_form.heads(filterset, keys)


@register.filter
def status_label(status: str) -> str:
    return str(Status(status).label) if status in Status.values else status


@register.filter
def wire_time(text: str) -> str:
    """``2026-07-01T09:30:00Z`` as people write it."""
    return text.replace("T", " ").removesuffix("Z")
