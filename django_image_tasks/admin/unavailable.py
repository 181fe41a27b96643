"""What the admin answers while the database is away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.log import log_response

from django_image_tasks.database_faults import (
    RETRY_AFTER,
    atomic_request,
    begins_transactions,
    is_temporary,
)

TEMPLATE = "django_image_tasks/admin/unavailable.html"


def answers_when_unavailable(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """The view, which answers 503 in words where it would fail because the database is away."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            with atomic_request():
                response: HttpResponseBase = view(request, *args, **kwargs)
                # The list's template still reads from the database.
                is_page = isinstance(response, SimpleTemplateResponse)
                return response.render() if is_page else response  # type: ignore[attr-defined]
        except Exception as error:
            if not is_temporary(error):
                raise
            # Without the admin's frame, which asks the database who is looking.
            page = HttpResponse(render_to_string(TEMPLATE), status=503)
            page["Retry-After"] = str(RETRY_AFTER)
            add_never_cache_headers(page)
            said = partial(log_response, "Service Unavailable: %s", request.path)
            said(response=page, request=request, level="warning", exception=error)
            return page

    return begins_transactions(answer)
