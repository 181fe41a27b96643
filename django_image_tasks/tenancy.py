"""Who a request acts for, and what it may see (docs/reference/http.md, "Who sees what")."""

from __future__ import annotations

import logging
import re
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from django_image_tasks.conf import conf
from django_image_tasks.log_lines import line

__all__ = ["owner_of_user"]

logger = logging.getLogger(__name__)

LONGEST_OWNER = 255
# Control characters, line separators, and halves of surrogate pairs, which no database takes.
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def owner_of_user(request: HttpRequest) -> Any:
    """The default of ``IMAGE_TASKS["OWNER"]``: the user's ``image_tasks_owner``, or primary key.

    Anonymous users have the owner that ``ANONYMOUS_OWNER`` names.
    """
    user = request.user
    if not user.is_authenticated:
        return conf.ANONYMOUS_OWNER
    return getattr(user, "image_tasks_owner", user.pk)


def get_owner(request: HttpRequest) -> str | None:
    """The owner that the request acts for, as text; ``None`` if it has none.

    Strings, UUIDs and integers but 0 are owners. Users who have nothing in common might share
    whatever else the function in ``IMAGE_TASKS["OWNER"]`` returns, so that is no owner. The log
    says why.
    """
    owner = conf.OWNER(request)
    if owner is None:
        return None
    if problem := _problem_with(owner):
        logger.warning(line("no_owner", path=request.path, reason=problem))
        return None
    return str(owner)


def _problem_with(owner: Any) -> str:
    """Why this cannot be an owner, without quoting it. Empty if it can."""
    if isinstance(owner, bool) or not isinstance(owner, str | int | UUID):
        return f"it is of type {type(owner).__name__}"
    if owner == 0:  # often means that nothing was found; Django gives no row this key
        return "it is 0"
    try:
        text = str(owner)
    except ValueError:  # an integer of thousands of digits
        return "it is too long"
    if not text.strip():
        return "it is empty"
    if len(text) > LONGEST_OWNER:
        return "it is too long"
    if _UNUSABLE.search(text):
        return "it has a control character, or half of a surrogate pair"
    return ""


def user_id(request: HttpRequest) -> str:
    """The user's primary key as a string; empty for anonymous ones."""
    return "" if request.user.pk is None else str(request.user.pk)
