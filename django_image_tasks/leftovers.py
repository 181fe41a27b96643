"""The removal of what an attempt without a result may have left in a storage."""

from __future__ import annotations

import logging

from django_image_tasks.exceptions import UnknownTaskType
from django_image_tasks.handlers import registry
from django_image_tasks.log_lines import with_traceback
from django_image_tasks.models import Leftover

logger = logging.getLogger(__name__)


def discard(leftover: Leftover) -> bool:
    """Have the handler remove what an attempt left. Returns whether that is done.

    If it fails, the error is logged, and a later sweep tries again.
    """
    try:
        handler = registry.get_handler(leftover.task_type)
        handler.discard(leftover.task_id, leftover.attempt, leftover.input)
    except UnknownTaskType:
        pass
    except Exception as error:
        # Not raised: the attempt has ended, and must not be run again for what it left.
        fields = {"task": leftover.task_id, "attempt": leftover.attempt}
        logger.error(with_traceback("discard_failed", error, **fields))
        leftover.postpone()
        return False
    leftover.forget()
    return True
